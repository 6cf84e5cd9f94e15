/** Starts the build that a trigger step describes, in a job: which commit it is of is read from Git. */
import { isRefusal, orThrow, refuse, type Refusal } from "#api/errors.ts";
import { serviceName } from "#api/names.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import { findStep, plannedOf } from "#pipeline/machine/steps.ts";
import type { PlannedTrigger } from "#pipeline/plan.ts";
import type { BuildRow } from "./core/rows.ts";
import type { Creation } from "./create.ts";
import type { Machine } from "./machine.ts";
import { putMetaData } from "./records/meta-data.ts";
import { takeSlot } from "./leases/slots.ts";
import { buildsStore } from "./store.ts";
import { resolveTarget, type Target, type TargetSource } from "./target.ts";

/** Builds that started each other, one in the other; more would be a circle without end. */
export const maximumDepth = 10;

interface Deps {
  db: Database;
  jobs: Jobs;
  clock: Clock;
  source: TargetSource;
  machine: Machine;
  creation: Creation;
}

/** Safe to run twice: only a trigger step that is ready starts a build, in the transaction that says so. */
export function startTriggered({ db, jobs, clock, source, machine, creation }: Deps): Task {
  return async (payload) => {
    const { build: id, step } = payload as { build: string; step: string };
    const build = await buildsStore(db).build(id);
    const trigger = build && readyTrigger(build, step);
    if (!trigger) return;
    const target = await targetOf(build, trigger);
    await db.transaction().execute(async (tx) => {
      // In the order in which a push takes both: its number first, then the builds that it takes the place of.
      if (!isRefusal(target)) await buildsStore(tx).lockNumbers(target.repository);
      const locked = await buildsStore(tx).lockBuild(id);
      if (locked && readyTrigger(locked, step)) await start(tx, { parent: locked, trigger, target });
    });
  };

  async function targetOf(parent: BuildRow, { pipeline, service: own, build }: PlannedTrigger) {
    if (parent.ancestors.length + 1 > maximumDepth)
      return refuse("build.too-deep", `builds start builds ${maximumDepth} deep at most`, {
        fix: "Look whether they start each other in a circle.",
      });
    if (own) return ofOwnService(parent, own);
    const [repository = "", service] = pipeline.split("/");
    return resolveTarget(source, { ...build, repository, service });
  }

  interface Start {
    parent: BuildRow;
    trigger: PlannedTrigger;
    target: Target | Refusal;
  }

  async function start(tx: Tx, { parent, trigger, target }: Start): Promise<void> {
    const { key: step } = trigger;
    if (isRefusal(target)) {
      const reason = `${target.refused}: ${target.message}`;
      return void orThrow(await machine.act(tx, parent.id, { type: "build-refused", step, reason }));
    }
    const change = { build: parent, jobs: [], state: orGone(parent), events: [] };
    if (!(await takeSlot(jobs, tx, change, step))) return;
    const { env, message, metaData } = trigger.build;
    const { id, repository, number } = parent;
    const child = await creation.create(tx, {
      ...target,
      ...{ creator: parent.creator ?? undefined, env, ...(message ? { message } : {}) },
      ...(trigger.service ? sameStart(parent) : { source: "trigger" as const }),
      ...{ parent: { build: id, repository, number, step }, ancestors: [...parent.ancestors, id] },
    });
    await putMetaData(tx, child.id, { values: metaData, clock });
    const name = `${child.service ?? child.repository} #${child.number}`;
    orThrow(await machine.act(tx, id, { type: "request-build", step, request: child.id, name }));
  }
}

/** The same commit, also where the branch has moved on. */
function ofOwnService({ repository, branch, commit }: BuildRow, { name, folder }: OwnService): Target {
  const service = serviceName.safeParse(name).success ? { service: name } : {};
  return { repository, branch, commit, folder, ...service };
}

type OwnService = NonNullable<PlannedTrigger["service"]>;

/** For its pipeline it is as if the push had started it by itself. */
function sameStart({ source, tag, pull_request, env }: BuildRow) {
  return { source, pull_request, env, ...(tag === null ? {} : { tag }) };
}

function orGone({ id, machine }: BuildRow) {
  if (!machine) throw new Error(`the build ${id} has no steps`);
  return machine;
}

function readyTrigger({ machine }: BuildRow, key: string): PlannedTrigger | undefined {
  if (!machine || findStep(machine, key)?.status.state !== "runnable") return undefined;
  const planned = plannedOf(machine, key);
  return planned.kind === "trigger" ? planned : undefined;
}

/** The build that a canceled trigger step waits for. */
export function cancelTriggered({ db, creation }: Pick<Deps, "db" | "creation">): Task {
  return async (payload) => {
    const { build, by } = payload as { build: string; by: string };
    // A refusal says that it has ended, which its step hears of by itself.
    await db
      .transaction()
      .execute((tx) => creation.cancel(tx, build, { by, reason: "the build that started it was canceled" }));
  };
}
