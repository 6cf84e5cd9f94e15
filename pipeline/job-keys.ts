/** Keys for steps, groups and jobs: as written, or made from the label so that no other has it. */
import type { ReadEntry } from "./group-reader.ts";
import type { Step, StepGroup } from "./step.ts";

/** All jobs of a file in its order, each with its key, its step and its group. `outside`: keys that the build has already. */
export function keyedJobs(entries: readonly ReadEntry[], outside: readonly string[] = []): Step[] {
  const taken = new Set([...outside, ...entries.flatMap(writtenKeys)]);
  return entries.flatMap(({ group, steps }) => {
    const within = group && { ...group, key: group.key || take(taken, group.label, "group") };
    return steps.flatMap(({ base, jobs }) => {
      const [first] = jobs;
      const key = first ? first.step.key || take(taken, base, first.step.kind) : "";
      return jobsOf(key, jobs, within);
    });
  });
}

function writtenKeys({ group, steps }: ReadEntry): string[] {
  const keys = steps.flatMap(({ jobs }) => jobs.slice(0, 1).map(({ step }) => step.key));
  return [...keys, ...(group ? [group.key] : [])].filter((key) => key !== "");
}

function jobsOf(key: string, jobs: readonly { step: Step; suffix: string[] }[], group: StepGroup | undefined): Step[] {
  const used = new Set<string>();
  return jobs.map(({ step, suffix }) => {
    const jobKey = free([key, ...suffix].join("/"), used);
    used.add(jobKey);
    return { ...step, key: jobKey, step: key, ...(group ? { group } : {}) };
  });
}

function take(taken: Set<string>, words: string, fallback: string): string {
  const key = free(fromWords(words) || fallback, taken);
  taken.add(key);
  return key;
}

function fromWords(text: string): string {
  const words = text
    .replaceAll(/:[a-z0-9_+-]+:/g, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, 60);
}

function free(base: string, taken: ReadonlySet<string>): string {
  let key = base;
  for (let count = 2; taken.has(key); count++) key = `${base}-${count}`;
  return key;
}
