/** Schedules: kept by people, looked over with the leases, and each run of one is one build. */
import type { triggerEndpoints, ScheduleView } from "#api/endpoints/triggers.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import { defaultBranch } from "../core/context.ts";
import { missedRuns, nextRun } from "../core/schedule-times.ts";
import type { ScheduleRow } from "../core/trigger-rows.ts";
import type { Creation } from "../create.ts";
import { resolveTarget, type Target, type TargetSource } from "../target.ts";
import { triggerStore } from "./trigger-store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  log: Log;
  source: TargetSource;
  creation: Creation;
}

type ScheduleHandlers = Pick<Handlers<typeof triggerEndpoints>, "createSchedule" | "listSchedules" | "removeSchedule">;

export interface Schedules {
  handlers: ScheduleHandlers;
  /** Starts what is due. Of runs that were missed while no server ran, one is made up for all. */
  sweep(): Promise<void>;
}

const mostSchedules = 50;
/** A run that is later than this was missed. */
const onTimeMs = 60_000;

export function createSchedules(deps: Deps): Schedules {
  const { db, clock, log, source, creation } = deps;

  async function sweep(): Promise<void> {
    for (const schedule of await triggerStore(db).dueSchedules(clock.now())) await run(schedule);
  }

  async function run(found: ScheduleRow): Promise<void> {
    const target = await resolveTarget(source, found);
    await db.transaction().execute(async (tx) => {
      const schedule = await triggerStore(tx).lockSchedule(found);
      if (schedule?.next_at.getTime() === found.next_at.getTime()) await start(tx, schedule, target);
    });
  }

  async function start(tx: Tx, schedule: ScheduleRow, target: Target | Refusal): Promise<void> {
    const now = clock.now();
    const message = messageOf(schedule, now);
    const { env, name, repository } = schedule;
    const build = isRefusal(target)
      ? undefined
      : await creation.create(tx, { ...target, source: "schedule", creator: schedule.creator, env, message });
    const next = nextRun(schedule, now);
    if (isRefusal(target)) log.warn({ repository, schedule: name, why: target.message }, "a schedule started no build");
    await triggerStore(tx).noteRun(schedule, {
      next_at: isRefusal(next) ? farFuture : next,
      last_at: now,
      last_build: build?.number ?? null,
      last_error: isRefusal(target) ? target.message : null,
    });
  }

  return { handlers: handlersOf(deps), sweep };
}

function handlersOf({ db, emit, clock, source }: Deps): ScheduleHandlers {
  async function put(tx: Tx, row: ScheduleRow): Promise<Refusal | undefined> {
    const store = triggerStore(tx);
    const others = (await store.schedules(row.repository)).filter(({ name }) => name !== row.name);
    if (others.length >= mostSchedules)
      return refuse("limit.reached", `${row.repository} has ${mostSchedules} schedules, which is the most`);
    await store.putSchedule(row);
    const told = { repository: row.repository, trigger: "schedule" as const, name: row.name, actor: row.creator };
    await emit(tx, `repository:${row.repository}`, "builds.trigger-changed", { ...told, change: "set" });
    return undefined;
  }

  return {
    createSchedule: async ({ body: { branch = defaultBranch, ...body } }, context) => {
      const now = clock.now();
      const next = nextRun(body, now);
      if (isRefusal(next)) return next;
      const target = await resolveTarget(source, { ...body, branch });
      if (isRefusal(target)) return target;
      const creator = userOf(context).name;
      const row = { ...body, branch, creator, created_at: now, next_at: next, ...neverRun };
      const refused = await db.transaction().execute((tx) => put(tx, row));
      return refused ?? view(row);
    },

    listSchedules: async ({ query }) => ({ schedules: (await triggerStore(db).schedules(query.repository)).map(view) }),

    removeSchedule: ({ query }, context) =>
      db.transaction().execute(async (tx) => {
        if (!(await triggerStore(tx).removeSchedule(query)))
          return refuse("not-found", `${query.repository} has no schedule ${query.name}`);
        const told = { ...query, trigger: "schedule" as const, actor: userOf(context).name };
        await emit(tx, `repository:${query.repository}`, "builds.trigger-changed", { ...told, change: "removed" });
        return { removed: true as const };
      }),
  };
}

const neverRun = { last_at: null, last_build: null, last_error: null };

/** An expression that will never be due again, as one for a day of a past year cannot be written. */
const farFuture = new Date("9999-01-01T00:00:00Z");

function messageOf({ name, next_at: due, ...time }: ScheduleRow, now: Date): string {
  const missed = missedRuns(time, due, now);
  if (missed > 0) return `schedule ${name}: one run for ${missed + 1} that were missed since ${due.toISOString()}`;
  return now.getTime() - due.getTime() > onTimeMs
    ? `schedule ${name}: the run of ${due.toISOString()}, which was missed`
    : `schedule ${name}`;
}

function view(row: ScheduleRow): ScheduleView {
  const { repository, name, cron, zone, branch, env, creator, next_at: nextAt, last_at: at } = row;
  return {
    ...{ repository, name, cron, zone, branch, env, creator },
    nextAt: nextAt.toISOString(),
    last: at && { at: at.toISOString(), build: row.last_build, error: row.last_error },
  };
}
