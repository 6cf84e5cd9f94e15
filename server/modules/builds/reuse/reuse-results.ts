/** Steps of a build that need not run: an earlier build did the same. In the transaction in which they become ready. */
import { orThrow } from "#api/errors.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import { mayReuse } from "#pipeline/machine/decide-reuse.ts";
import { plannedOf } from "#pipeline/machine/steps.ts";
import { advance, type Change } from "../core/change.ts";
import { defaultBranch } from "../core/context.ts";
import { logStore } from "../logs/log-store.ts";
import { artifactStore } from "../records/artifact-store.ts";
import { testStore } from "../tests/store.ts";
import { resultDays } from "./results.ts";
import { type ResultRow, reuseStore } from "./reuse-store.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Looks once for each step that becomes ready; what follows from a result may have results of its own. */
export async function reuseResults(clock: Clock, tx: Tx, decided: Change): Promise<Change> {
  // A schedule is there to find out whether all is still well.
  if (decided.build.source === "schedule") return decided;
  let change = decided;
  const seen = new Set<string>();
  for (;;) {
    const steps = readySteps(change).filter((step) => !seen.has(step));
    if (steps.length === 0) return change;
    for (const step of steps) seen.add(step);
    change = await reuseEach(clock, tx, { change, steps });
  }
}

function readySteps({ events, state }: Change): string[] {
  const ready = events.flatMap((event) => (event.type === "step-runnable" ? [event.step] : []));
  return [...new Set(ready)].filter((step) => mayReuse(state, step));
}

async function reuseEach(
  clock: Clock,
  tx: Tx,
  { change: before, steps }: { change: Change; steps: string[] },
): Promise<Change> {
  const { build, jobs } = before;
  const keys = new Map(steps.map((step) => [step, keyOf(before, step)]));
  const branches = [...new Set([build.branch, defaultBranch])];
  const since = new Date(clock.now().getTime() - resultDays * dayMs);
  const { repository } = build;
  const found = await reuseStore(tx).find({ repository, branches, keys: [...keys.values()], since });
  let change = before;
  for (const [step, key] of keys) {
    const job = jobs.find((each) => each.step === step)?.id;
    const result = found.find((each) => each.key === key);
    if (!job || !result || !(await reuseStore(tx).holdWhole(result))) continue;
    await bring(tx, { build: build.id, job, result, at: clock.now() });
    const of = { build: result.build, number: result.number, job: result.job, attempt: result.attempt };
    change = orThrow(advance(change, { type: "reuse", step, token: newId(), of, at: clock.now().toISOString() }));
  }
  return change;
}

function keyOf({ state }: Change, step: string): string {
  const planned = plannedOf(state, step);
  return "reuseKey" in planned ? (planned.reuseKey ?? "") : "";
}

interface Bringing {
  build: string;
  job: string;
  result: ResultRow;
  at: Date;
}

/** Files, log and tests of the attempt belong to the new build's job too; contents are shared. */
async function bring(tx: Tx, { build, job, result, at }: Bringing): Promise<void> {
  const of = { job: result.job, attempt: result.attempt };
  const own = { build, job, attempt: 1, at };
  await artifactStore(tx).copy(of, own);
  await logStore(tx).insertReference(of, own);
  await testStore(tx).insertReference(of, own);
}
