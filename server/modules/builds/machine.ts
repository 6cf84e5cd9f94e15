/** The build machine with a database: commands under the build's lock; state, events and announcements in one transaction. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { together } from "#kernel/together.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { startBuild } from "#pipeline/machine/start.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { Plan } from "#pipeline/plan.ts";
import { advance, type Change } from "./core/change.ts";
import type { BuildRow } from "./core/rows.ts";
import { commit, type CommitDeps } from "./commit.ts";
import { newJobs } from "./new-jobs.ts";
import { takeSlot } from "./leases/slots.ts";
import { buildsStore } from "./store.ts";

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;
/** A command without its time, which is taken here. */
export type Ask = Untimed<Command>;

/** A build after what was asked was done. */
export type Done = Pick<Change, "build" | "jobs" | "state">;

export interface Machine {
  /** Gives a build that is being prepared its plan. The caller holds its lock. */
  begin(tx: Tx, build: BuildRow, plan: Plan): Promise<void>;
  /** Locks the build and does what is asked, or refuses and changes nothing. */
  act(tx: Tx, build: string, ask: Ask): Promise<BuildState | Refusal>;
  /** Does what is due and could not be done before, as there was no slot for it. */
  nudge(tx: Tx, build: string): Promise<void>;
  /**
   * As `act`, in a transaction of its own, together with whatever else is asked of the build at that moment: fifty agents
   * that begin fifty jobs of one build cost one reading and one writing of it, not fifty. Not done for a caller who has gone.
   */
  ask(build: string, ask: Ask, signal?: AbortSignal): Promise<Done | Refusal>;
}

interface Asked {
  ask: Ask;
  signal: AbortSignal | undefined;
}

interface Deps extends CommitDeps {
  db: Database;
}

export function createMachine(deps: Deps): Machine {
  const now = () => deps.clock.now().toISOString();

  async function begin(tx: Tx, build: BuildRow, plan: Plan): Promise<void> {
    const store = buildsStore(tx);
    const jobs = newJobs(build, plan);
    if (jobs.length > 0) await store.insertJobs(jobs);
    const { state, events } = startBuild(plan, { ...(build.creator ? { by: build.creator } : {}), at: now() });
    await commit(deps, tx, { build, jobs: await store.jobs(build.id), state, events });
  }

  async function act(tx: Tx, id: string, ask: Ask): Promise<BuildState | Refusal> {
    const change = await lock(tx, id);
    if (isRefusal(change)) return change;
    const decided = await decide(tx, change, ask);
    return isRefusal(decided) ? decided : (await commit(deps, tx, decided)).state;
  }

  /** A job is leased only with the slot that it needs. */
  async function decide(tx: Tx, change: Change, ask: Ask): Promise<Change | Refusal> {
    const decided = advance(change, { ...ask, at: now() });
    if (isRefusal(decided) || ask.type !== "lease" || decided === change) return decided;
    return (await takeSlot(deps.jobs, tx, change, ask.step)) ? decided : noSlot();
  }

  async function actTogether(id: string, asks: Asked[]): Promise<(Done | Refusal)[]> {
    return deps.db.transaction().execute(async (tx) => {
      const before = await lock(tx, id);
      if (isRefusal(before)) return asks.map(() => before);
      let change: Change = before;
      const refusals: (Refusal | undefined)[] = [];
      for (const { ask, signal } of asks) {
        const decided = signal?.aborted ? callerGone() : await decide(tx, change, ask);
        refusals.push(isRefusal(decided) ? decided : undefined);
        if (!isRefusal(decided)) change = decided;
      }
      const done = await commit(deps, tx, change);
      return refusals.map((refusal) => refusal ?? done);
    });
  }

  const asked = together(actTogether);

  async function nudge(tx: Tx, id: string): Promise<void> {
    const change = await lock(tx, id);
    if (!isRefusal(change)) await commit(deps, tx, change);
  }

  return { begin, act, nudge, ask: (build, ask, signal) => asked(build, { ask, signal }) };
}

async function lock(tx: Tx, id: string): Promise<Change | Refusal> {
  const store = buildsStore(tx);
  const build = await store.lockBuild(id);
  if (!build) return refuse("not-found", "there is no such build");
  if (!build.machine) return refuse("build.wrong-state", "the build has no steps (yet)");
  return { build, jobs: await store.jobs(id), state: build.machine, events: [] };
}

const noSlot = (): Refusal => refuse("build.wrong-state", "its concurrency group has no free slot");
const callerGone = (): Refusal => refuse("build.wrong-state", "whoever asked has gone");
