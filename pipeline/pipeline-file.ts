/** `.towline/pipeline.yml` in Buildkite's step syntax → a checked pipeline. */
import type { z } from "zod";
import { nearest } from "#api/nearest.ts";
import type { Fault, Parsed } from "./fault.ts";
import { completeFilter } from "./common-completion.ts";
import { interpolateFile } from "./interpolate-file.ts";
import { type ReadEntry, readEntry } from "./group-reader.ts";
import type { Names } from "./graph.ts";
import { keyedJobs } from "./job-keys.ts";
import { lintPipeline } from "./lint.ts";
import { refuseUnserved, type Served } from "./refuse-unserved.ts";
import { globFaults, notificationFaults, notificationWarnings } from "./step-rules.ts";
import { maximumSteps, topShape } from "./step-shape.ts";
import type { Pipeline, Step } from "./step.ts";
import { limits } from "./text/limits.ts";
import { keyPlaceOf, type Located, locate } from "./text/located.ts";
import type { Review } from "./text/parse-yaml.ts";
import { readYaml } from "./text/read-yaml.ts";
import { checkShape } from "./text/shape.ts";
import { completeCache, completeNotify } from "./work-completion.ts";

export interface PipelineSource {
  file: string;
  text: string;
  /** What `$NAME` in the file stands for, beside the file's own `env`; see `build-variables.ts`. */
  variables?: Record<string, string>;
  /** False: `$NAME` stays as it is written. */
  interpolate?: boolean;
  /** Jobs of the build beside those of the file, which its `depends_on` may name. */
  outside?: Names;
  /** Of those the keys that the file may make again from a label. */
  reusable?: readonly string[];
}

/** Reads and lints a pipeline: a map with `steps`, or the bare list of steps, as YAML or JSON. */
export function parsePipeline(source: PipelineSource): Parsed<Pipeline> {
  return readPipeline(source, refuseUnserved);
}

/** The whole language, whatever of it is served; `refuse` takes out what is not. */
export function readPipeline(
  { file, text, variables = {}, interpolate = true, outside, reusable = [] }: PipelineSource,
  refuse: (root: Located) => Served = (root) => ({ root, faults: [] }),
): Parsed<Pipeline> {
  const read = readYaml(file, text);
  if (read.errors) return read;
  const written = asMap(read.value);
  const interpolated = interpolate ? interpolateFile(written, variables) : { root: written, errors: [], warnings: [] };
  const { root, faults: refused } = refuse(interpolated.root);
  const faults: Required<Review> = {
    errors: [...interpolated.errors, ...refused],
    warnings: [...read.warnings, ...interpolated.warnings],
  };
  add(faults, topKeyFaults(root));
  add(faults, { errors: [...notificationFaults(root), ...globFaults(root, ["if_changed"])] });
  add(faults, { warnings: notificationWarnings(root, true) });
  const top = checkShape(root, topShape);
  const steps = [...(locate(root, ["steps"])?.children?.values() ?? [])].slice(0, maximumSteps);
  const entries = readEntries(steps, faults);
  faults.errors.push(...(top.errors ?? []));
  if (!top.value || faults.errors.length > 0) return faults;
  const { env = {}, notify, if_changed: filter } = top.value;
  const pipeline: Pipeline = {
    file,
    env,
    steps: withDefaults(keyedJobs(entries, takenKeys(outside, reusable)), top.value),
    notify: completeNotify(notify),
    ...(filter ? { ifChanged: completeFilter(filter) } : {}),
  };
  faults.errors.push(...lintPipeline(pipeline, { slug: variables["TOWLINE_PIPELINE_SLUG"], outside }));
  return faults.errors.length > 0 ? faults : { value: pipeline, warnings: faults.warnings };
}

function takenKeys(outside: Names = new Map(), reusable: readonly string[]): string[] {
  return [...outside.keys()].filter((key) => !reusable.includes(key));
}

function add(faults: Required<Review>, { errors = [], warnings = [] }: Review): void {
  faults.errors.push(...errors);
  faults.warnings.push(...warnings);
}

/** A bare list is the list of steps. */
function asMap(root: Located): Located {
  if (!Array.isArray(root.value)) return root;
  const { place, size, height } = root;
  return {
    value: { steps: root.value },
    place,
    size: size + 1,
    height: height + 1,
    children: new Map([["steps", root]]),
  };
}

const topKeys = Object.keys(topShape.shape);

/** Other keys at the top hold anchors for the steps; they are left alone unless they look like a misspelling. */
function topKeyFaults(root: Located): Review {
  const others = [...(root.children?.keys() ?? [])].filter((key) => !topKeys.includes(key));
  const warnings = others.slice(0, limits.faults).flatMap((key) => misspelling(root, key));
  const isMisspelt = ({ fix }: Fault) => !root.children?.has("steps") && fix === meant("steps");
  const errors = warnings.filter(isMisspelt).map((fault): Fault => ({ ...fault, code: "shape.unknown-key" }));
  return { errors, warnings: [...warnings, ...noSteps(root)] };
}

function misspelling(root: Located, key: string): Fault[] {
  const near = nearest(key, topKeys);
  const place = keyPlaceOf(root, [key]);
  const message = `the key \`${key}\` is not known`;
  return near ? [{ code: "pipeline.unknown-key", message, place, fix: meant(near) }] : [];
}

function meant(key: string): string {
  return `did you mean \`${key}\`?`;
}

/** Buildkite takes such a file too; a build that tests nothing must not do so unnoticed. */
function noSteps(root: Located): Fault[] {
  const steps = locate(root, ["steps"]);
  if (!root.children || (steps && steps.value !== null && steps.children?.size !== 0)) return [];
  const place = steps?.place ?? root.place;
  const message = "the pipeline has no steps: its builds pass without doing anything";
  return [{ code: "pipeline.no-steps", message, place, fix: "add a step" }];
}

/** Stops at the limit of jobs, so that no file costs more than its reading. */
function readEntries(written: readonly Located[], faults: Required<Review>): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let jobs = 0;
  for (const step of written) {
    if (faults.errors.length >= limits.faults || jobs > maximumSteps) break;
    const entry = readEntry(step);
    add(faults, entry);
    for (const read of entry.steps) add(faults, read);
    jobs += entry.steps.reduce((count, read) => count + read.jobs.length, 0);
    entries.push(entry);
    if (jobs > maximumSteps) faults.errors.push(tooManyJobs(step));
  }
  return entries;
}

function tooManyJobs({ place }: Located): Fault {
  const message = `with this step the file makes more than ${maximumSteps} jobs`;
  return { code: "pipeline.limit", message, place, fix: "make several pipelines of it" };
}

type Defaults = Omit<z.output<typeof topShape>, "steps" | "env" | "notify" | "if_changed">;

/** What the file says for all its steps; a step's own word counts more. The image of a test or publish step is another thing. */
function withDefaults(steps: Step[], { agents, image, priority, secrets, cache }: Defaults): Step[] {
  return steps.map((step) => {
    if (!("agents" in step)) return step;
    return {
      ...(step.kind === "command" && image !== undefined ? { image } : {}),
      ...(cache && step.kind !== "publish" ? { cache: completeCache(cache) } : {}),
      ...(priority === undefined ? {} : { priority }),
      ...step,
      secrets: { ...secrets, ...step.secrets },
      agents: { ...agents, ...step.agents },
    };
  });
}
