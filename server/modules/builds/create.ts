/** How builds come to be, how they are canceled, and how a newer push takes the place of an older one's build. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { BuildRow, BuildSummaryRow } from "./core/rows.ts";
import { deploys } from "./core/steps.ts";
import { identityOf } from "./core/view.ts";
import type { Machine } from "./machine.ts";
import { prepareTask } from "./prepare.ts";
import { buildsStore, type NewBuild } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
  clock: Clock;
  machine: Machine;
}

export interface CancelWord {
  by: string;
  reason?: string;
  /** Number of the newer build that takes its place. */
  supersededBy?: number;
}

export interface Creation {
  /** A build with the repository's next number; its files are read in a job. */
  create(tx: Tx, build: Omit<NewBuild, "id" | "at">): Promise<BuildSummaryRow>;
  /** Cancels what earlier pushes to the branch started. A build whose deployment goes on is left alone. */
  supersede(tx: Tx, newer: BuildSummaryRow): Promise<void>;
  /** Cancels a build, also one that is still being prepared; refuses when it has ended. */
  cancel(tx: Tx, id: string, word: CancelWord): Promise<Refusal | undefined>;
  /** Hands builds that a killed server was preparing to the job again. */
  resume(): Promise<void>;
}

export function createCreation({ db, emit, jobs, clock, machine }: Deps): Creation {
  const enqueue = (tx: Tx, build: string) => jobs.add(tx, prepareTask, { build }, { key: `${prepareTask}:${build}` });

  async function create(tx: Tx, given: Omit<NewBuild, "id" | "at">): Promise<BuildSummaryRow> {
    const build = await buildsStore(tx).insertBuild({ ...given, id: newId(), at: clock.now() });
    await enqueue(tx, build.id);
    await emit(tx, `build:${build.id}`, "builds.build-created", identityOf(build));
    return build;
  }

  async function supersede(tx: Tx, newer: BuildSummaryRow): Promise<void> {
    const word = { by: newer.creator ?? "towline", supersededBy: newer.number };
    for (const { id } of await buildsStore(tx).unfinishedPushes(newer.repository, newer.branch)) {
      if (id === newer.id) continue;
      const older = await buildsStore(tx).lockBuild(id);
      if (older && older.sequence < newer.sequence && !deploys(older.machine)) await cancelLocked(tx, older, word);
    }
  }

  async function cancel(tx: Tx, id: string, word: CancelWord): Promise<Refusal | undefined> {
    const build = await buildsStore(tx).lockBuild(id);
    if (!build) return refuse("not-found", "there is no such build");
    return cancelLocked(tx, build, word);
  }

  async function cancelLocked(tx: Tx, build: BuildRow, word: CancelWord): Promise<Refusal | undefined> {
    if (build.state === "finished") return refuse("build.wrong-state", "the build has ended already");
    if (word.supersededBy !== undefined) await buildsStore(tx).setSuperseded(build.id, word.supersededBy);
    if (build.state !== "preparing") {
      const canceled = await machine.act(tx, build.id, { type: "cancel", ...word });
      return isRefusal(canceled) ? canceled : undefined;
    }
    await buildsStore(tx).setFinished(build.id, "canceled", clock.now());
    await emit(tx, `build:${build.id}`, "builds.build-finished", { ...identityOf(build), outcome: "canceled" });
    return undefined;
  }

  async function resume(): Promise<void> {
    const left = await buildsStore(db).preparingBuilds();
    await db.transaction().execute(async (tx) => {
      for (const { id } of left) await enqueue(tx, id);
    });
  }

  return { create, supersede, cancel, resume };
}
