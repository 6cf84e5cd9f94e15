import type { Step } from "./step.ts";

/** Gives every step a key: its own, or one made from its label that no other has. `taken`: keys beside those of the steps. */
export function withKeys(steps: readonly Step[], taken: readonly string[] = []): Step[] {
  const used = new Set([...taken, ...steps.map((step) => step.key)]);
  return steps.map((step) => {
    if (step.key !== "") return step;
    const key = freeKey(step, used);
    used.add(key);
    return { ...step, key, step: key };
  });
}

export function freeKey({ label, kind }: { label: string; kind: string }, taken: ReadonlySet<string>): string {
  const words = label
    .replaceAll(/:[a-z0-9_+-]+:/g, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const base =
    words
      .filter((word) => word !== "")
      .join("-")
      .slice(0, 60) || kind;
  let key = base;
  for (let count = 2; taken.has(key); count++) key = `${base}-${count}`;
  return key;
}
