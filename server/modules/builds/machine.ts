/** The build machine with a database: commands under the build's lock; state, events and announcements in one transaction. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { startBuild } from "#pipeline/machine/start.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { isWork } from "#pipeline/machine/steps.ts";
import type { Plan } from "#pipeline/plan.ts";
import { advance } from "./core/change.ts";
import type { BuildRow } from "./core/rows.ts";
import { jobTags } from "./core/tags.ts";
import { commit, type CommitDeps } from "./commit.ts";
import { buildsStore } from "./store.ts";

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;
/** A command without its time, which is taken here. */
export type Ask = Untimed<Command>;

export interface Machine {
  /** Gives a build that is being prepared its plan. The caller holds its lock. */
  begin(tx: Tx, build: BuildRow, plan: Plan): Promise<void>;
  /** Locks the build and does what is asked, or refuses and changes nothing. */
  act(tx: Tx, build: string, ask: Ask): Promise<BuildState | Refusal>;
}

export function createMachine(deps: CommitDeps): Machine {
  const now = () => deps.clock.now().toISOString();

  async function begin(tx: Tx, build: BuildRow, plan: Plan): Promise<void> {
    const store = buildsStore(tx);
    const jobs = jobsOf(build.id, plan);
    if (jobs.length > 0) await store.insertJobs(jobs);
    const { state, events } = startBuild(plan, { ...(build.creator ? { by: build.creator } : {}), at: now() });
    await commit(deps, tx, { build, jobs: await store.jobs(build.id), state, events });
  }

  async function act(tx: Tx, id: string, ask: Ask): Promise<BuildState | Refusal> {
    const store = buildsStore(tx);
    const build = await store.lockBuild(id);
    if (!build) return refuse("not-found", "there is no such build");
    if (!build.machine) return refuse("build.wrong-state", "the build has no steps (yet)");
    const change = { build, jobs: await store.jobs(id), state: build.machine, events: [] };
    const decided = advance(change, { ...ask, at: now() });
    return isRefusal(decided) ? decided : commit(deps, tx, decided);
  }

  return { begin, act };
}

/** Steps that will run on an agent. */
function jobsOf(build: string, plan: Plan) {
  const work = plan.steps.filter(isWork).filter(({ skipped }) => !skipped);
  return work.map((step) => ({
    ...{ id: newId(), build, step: step.key, kind: step.kind },
    position: plan.steps.indexOf(step),
    tags: jobTags(step.agents),
    state: "waiting",
  }));
}
