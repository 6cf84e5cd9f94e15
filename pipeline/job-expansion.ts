/** The jobs that `matrix` and `parallelism` make of one written step. */
import type { Step } from "./step.ts";

/** A job before its key is known; `suffix` is what sets it apart from the others of its step. */
export interface Draft {
  step: Step;
  suffix: string[];
}

/** Labels say which job it is, unless the author's own words already do. */
export function labelled(drafts: readonly Draft[], word: (draft: Draft) => string): Draft[] {
  const labels = new Set(drafts.map(({ step }) => step.label));
  if (labels.size === drafts.length) return [...drafts];
  return drafts.map((draft) => ({
    ...draft,
    step: { ...draft.step, label: `${draft.step.label} ${word(draft)}`.slice(0, 300) },
  }));
}

/** `count` copies; each knows its number, under Buildkite's names and ours. */
export function inParallel({ step, suffix }: Draft, count: number): Draft[] {
  const copies = Array.from({ length: count }, (_, index): Draft => {
    const label = step.label
      .replaceAll("%n", String(index))
      .replaceAll("%N", String(index + 1))
      .replaceAll("%t", String(count));
    return {
      step: withVariables({ ...step, label, ...{ parallel: { index, count } } }, index, count),
      suffix: [...suffix, String(index + 1)],
    };
  });
  return labelled(copies, ({ suffix: words }) => `${words.at(-1)}/${count}`);
}

function withVariables(step: Step, index: number, count: number): Step {
  const env = {
    BUILDKITE_PARALLEL_JOB: String(index),
    BUILDKITE_PARALLEL_JOB_COUNT: String(count),
    TOWLINE_PARALLEL_JOB: String(index),
    TOWLINE_PARALLEL_JOB_COUNT: String(count),
  };
  if (step.kind === "trigger") return { ...step, build: { ...step.build, env: { ...step.build.env, ...env } } };
  return "env" in step ? { ...step, env: { ...step.env, ...env } } : step;
}

/** A value as a part of a key: readable, and safe in a shell, a path and an address. */
export function slug(value: string): string {
  return (
    value
      .replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 40) || "empty"
  );
}
