/** `release:` of a manifest: by which steps a new release replaces the one before. */
import { z } from "zod";
import type { Fault } from "./fault.ts";
import type { CanaryStep, ManifestFile } from "./manifest-file.ts";
import { keyPlaceOf, type Located, type Path, placeOf } from "./text/located.ts";

export const strategies = ["replace", "rolling", "blue-green", "canary"] as const;

const words = z.array(z.string().min(1)).min(1);
/** A number of instances, or a share of them such as `25%`. */
const instancesOrShare = z.union([z.int().min(0), z.string().regex(/^\d{1,3}%$/)]);

export const releaseSchema = z.object({
  strategy: z.enum(strategies).default("blue-green"),
  /** Command run in the new image before its instances start. */
  migrate: words.optional(),
  /** Milliseconds that an old instance gets to end its open requests. */
  drain: z.int().min(0),
  /** Milliseconds over which a new instance comes to its full share of the traffic. */
  warmUp: z.int().min(0).default(0),
  /** Milliseconds that a new instance gets to become healthy; as the platform has it where absent. */
  healthyWithin: z.int().positive().optional(),
  /** Of `rolling`: instances above the wanted number while it goes on, and below it. */
  surge: instancesOrShare.default(1),
  unavailable: instancesOrShare.default(0),
  /** Of `canary`: share of the traffic, for how long at least, and whether it then waits for a person. */
  steps: z.array(z.object({ percent: z.number().positive(), ms: z.int().min(0), hold: z.boolean() })).default([]),
  /** What a new release may do worse than the one before, in canary steps. */
  analysis: z
    .object({
      /** Percent of requests that may fail, whatever the release before does. */
      errors: z.number().min(0),
      /** How many times as slow as the release before, by the 95th percentile. */
      slower: z.number().min(1),
      /** Milliseconds of the 95th percentile that are too many however slow the release before is. */
      p95: z.int().positive().optional(),
      /** Fewer requests prove nothing. */
      requests: z.int().positive(),
    })
    .default({ errors: 5, slower: 1.5, requests: 50 }),
});

export type ReleasePlan = z.output<typeof releaseSchema>;

const defaults = { drain: 10_000, stepMs: 60_000, analysis: { errors: 5, slower: 1.5, requests: 50 } } as const;
const usualSteps: readonly CanaryStep[] = [{ percent: 10 }, { percent: 50 }];

export function completeRelease(file: NonNullable<ManifestFile["release"]>): ReleasePlan {
  const { strategy = "blue-green", migrate, steps, analysis = {}, "healthy-within": healthyWithin } = file;
  const { p95 } = analysis;
  return {
    strategy,
    ...(migrate ? { migrate } : {}),
    drain: file.drain ?? defaults.drain,
    warmUp: file["warm-up"] ?? 0,
    ...(healthyWithin === undefined ? {} : { healthyWithin }),
    surge: file.surge ?? 1,
    unavailable: file.unavailable ?? 0,
    steps: strategy === "canary" ? foldSteps(steps ?? usualSteps) : [],
    analysis: {
      errors: analysis.errors ?? defaults.analysis.errors,
      slower: analysis.slower ?? defaults.analysis.slower,
      ...(p95 === undefined ? {} : { p95 }),
      requests: analysis.requests ?? defaults.analysis.requests,
    },
  };
}

/** Times and holds belong to the share before them; a share without either is looked at for a minute. */
function foldSteps(steps: readonly CanaryStep[]): ReleasePlan["steps"] {
  const folded: { percent: number; ms: number | undefined; hold: boolean }[] = [];
  for (const step of steps) {
    const last = folded.at(-1);
    if (typeof step === "object" && "percent" in step) folded.push({ ...step, ms: undefined, hold: false });
    else if (last && step === "hold") last.hold = true;
    else if (last && typeof step === "object") last.ms = (last.ms ?? 0) + step.ms;
  }
  return folded.map(({ ms, hold, percent }) => ({ percent, ms: ms ?? (hold ? 0 : defaults.stepMs), hold }));
}

/** Keys that belong to another strategy, and steps that are in no order. */
export function releaseFaults({ release = {} }: ManifestFile, root: Located): Fault[] {
  const { strategy = "blue-green", steps = [], surge, unavailable } = release;
  const shares = steps.flatMap((step) => (typeof step === "object" && "percent" in step ? step.percent : []));
  const faults: Fault[] = [];
  const add = (path: Path, message: string, fix: string) =>
    faults.push({ code: "shape.wrong-value", message, place: placeOf(root, ["release", ...path]), fix });
  for (const [key, owner] of owners)
    if (release[key] !== undefined && strategy !== owner)
      faults.push({
        code: "shape.wrong-value",
        message: `\`${key}\` belongs to the strategy \`${owner}\`, and this one is \`${strategy}\``,
        place: keyPlaceOf(root, ["release", key]),
        fix: `write \`strategy: ${owner}\`, or remove \`${key}\``,
      });
  if (steps.length > 0 && (typeof steps[0] !== "object" || !("percent" in steps[0])))
    add(["steps", 0], "the first step has no share of the traffic", "begin with a share such as 10%");
  if (shares.some((share, index) => share <= (shares[index - 1] ?? 0)))
    add(["steps"], "the shares of the steps must rise", "write them from the smallest to the largest");
  if (isNone(surge ?? 1) && isNone(unavailable ?? 0))
    add(
      [surge === undefined ? "unavailable" : "surge"],
      "neither more nor fewer instances than wanted may run",
      "let `surge` or `unavailable` be at least 1",
    );
  return faults;
}

const owners = [
  ["surge", "rolling"],
  ["unavailable", "rolling"],
  ["steps", "canary"],
  ["analysis", "canary"],
] as const;

function isNone(value: number | string): boolean {
  return typeof value === "number" ? value === 0 : Number.parseInt(value) === 0;
}
