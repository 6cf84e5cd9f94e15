/** `.towline/pipeline.yml` in Buildkite's step syntax → a checked pipeline. */
import { nearest } from "#api/nearest.ts";
import type { Fault, Parsed } from "./fault.ts";
import { interpolateFile } from "./interpolate-file.ts";
import { withKeys } from "./job-keys.ts";
import { lintPipeline } from "./lint.ts";
import { notServedTopKeys } from "./not-served.ts";
import { readStep } from "./step-reader.ts";
import { notificationFaults } from "./step-rules.ts";
import { maximumSteps, topShape } from "./step-shape.ts";
import type { Pipeline, Step } from "./step.ts";
import { limits } from "./text/limits.ts";
import { keyPlaceOf, type Located, locate, withoutKeys } from "./text/located.ts";
import type { Review } from "./text/parse-yaml.ts";
import { readYaml } from "./text/read-yaml.ts";
import { checkShape } from "./text/shape.ts";
import { completeNotify } from "./work-completion.ts";

export interface PipelineSource {
  file: string;
  text: string;
  /** What `$NAME` in the file stands for, beside the file's own `env`; see `build-variables.ts`. */
  variables?: Record<string, string>;
}

/** Reads and lints a pipeline: a map with `steps`, or the bare list of steps, as YAML or JSON. */
export function parsePipeline({ file, text, variables = {} }: PipelineSource): Parsed<Pipeline> {
  const read = readYaml(file, text);
  if (read.errors) return read;
  const { root, errors, warnings } = interpolateFile(asMap(read.value), variables);
  const faults: Required<Review> = { errors, warnings: [...read.warnings, ...warnings] };
  add(faults, topKeyFaults(root));
  add(faults, { errors: notificationFaults(root) });
  const top = checkShape(withoutKeys(root, notServedTopKeys), topShape);
  const written = [...(locate(root, ["steps"])?.children?.values() ?? [])].slice(0, maximumSteps);
  const steps = written.flatMap((step) => collect(step, faults));
  faults.errors.push(...(top.errors ?? []));
  if (!top.value || faults.errors.length > 0) return faults;
  const { env = {}, notify } = top.value;
  const pipeline: Pipeline = {
    file,
    env,
    steps: withDefaults(withKeys(steps), top.value),
    notify: completeNotify(notify),
  };
  faults.errors.push(...lintPipeline(pipeline));
  return faults.errors.length > 0 ? faults : { value: pipeline, warnings: faults.warnings };
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
  const keys = [...(root.children?.keys() ?? [])];
  const refused = keys.filter((key) => notServedTopKeys.includes(key));
  const others = keys.filter((key) => !topKeys.includes(key) && !refused.includes(key));
  const errors = refused.map((key): Fault => {
    const place = keyPlaceOf(root, [key]);
    return {
      code: "pipeline.not-supported",
      message: `\`${key}\` cannot be served yet`,
      place,
      fix: `remove \`${key}\``,
    };
  });
  const warnings = others.slice(0, limits.faults).flatMap((key) => misspelling(root, key));
  if (root.children && !root.children.has("steps"))
    errors.push(...warnings.filter(({ fix }) => fix?.includes("`steps`")));
  return { errors, warnings: [...warnings, ...noSteps(root)] };
}

function misspelling(root: Located, key: string): Fault[] {
  const near = nearest(key, topKeys);
  const place = keyPlaceOf(root, [key]);
  const message = `the key \`${key}\` is not known`;
  return near ? [{ code: "shape.unknown-key", message, place, fix: `did you mean \`${near}\`?` }] : [];
}

/** Buildkite takes such a file too; a build that tests nothing must not do so unnoticed. */
function noSteps(root: Located): Fault[] {
  const steps = locate(root, ["steps"]);
  if (!root.children || (steps && steps.value !== null && steps.children?.size !== 0)) return [];
  const place = steps?.place ?? root.place;
  const message = "the pipeline has no steps: its builds pass without doing anything";
  return [{ code: "pipeline.no-steps", message, place, fix: "add a step" }];
}

function collect(written: Located, faults: Required<Review>): Step[] {
  if (faults.errors.length >= limits.faults) return [];
  const read = readStep(written);
  add(faults, read);
  return read.step ? [read.step] : [];
}

interface Defaults {
  agents?: Record<string, string> | undefined;
  image?: string | undefined;
}

/** What the file says for all its steps; a step's own word counts more. The image of a test or publish step is another thing. */
function withDefaults(steps: Step[], { agents, image }: Defaults): Step[] {
  return steps.map((step) => {
    if (!("agents" in step)) return step;
    const inherited = step.kind === "command" && image !== undefined ? { image } : {};
    return { ...inherited, ...step, agents: { ...agents, ...step.agents } };
  });
}
