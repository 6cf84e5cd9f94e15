/** `.towline/pipeline.yml` in Buildkite's step syntax → a checked pipeline. */
import { nearest } from "#api/nearest.ts";
import type { Fault, Parsed } from "./fault.ts";
import { interpolateFile } from "./interpolate-file.ts";
import { lintPipeline } from "./lint.ts";
import { readStep } from "./step-reader.ts";
import { maximumSteps, topShape, unsupportedTopKeys } from "./step-shape.ts";
import type { Pipeline, Step } from "./step.ts";
import { limits } from "./text/limits.ts";
import { keyPlaceOf, type Located, locate } from "./text/located.ts";
import { readYaml } from "./text/read-yaml.ts";
import { checkShape } from "./text/shape.ts";

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
  const faults: Faults = { errors: [...errors, ...topKeyFaults(root)], warnings: [...read.warnings, ...warnings] };
  const top = checkShape(root, topShape);
  const written = [...(locate(root, ["steps"])?.children?.values() ?? [])].slice(0, maximumSteps);
  const steps = written.flatMap((step) => collect(step, faults));
  faults.errors.push(...(top.errors ?? []));
  if (!top.value || faults.errors.length > 0) return faults;
  const pipeline: Pipeline = {
    file,
    env: top.value.env ?? {},
    steps: withTopAgents(withKeys(steps), top.value.agents ?? {}),
  };
  faults.errors.push(...lintPipeline(pipeline));
  return faults.errors.length > 0 ? faults : { value: pipeline, warnings: faults.warnings };
}

interface Faults {
  errors: Fault[];
  warnings: Fault[];
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
function topKeyFaults(root: Located): Fault[] {
  const others = [...(root.children?.keys() ?? [])].filter((key) => !topKeys.includes(key)).slice(0, limits.faults);
  return others.flatMap((key): Fault[] => {
    const place = keyPlaceOf(root, [key]);
    const near = nearest(key, topKeys);
    if ((unsupportedTopKeys as readonly string[]).includes(key))
      return [
        { code: "pipeline.not-supported", message: `\`${key}\` cannot be served yet`, place, fix: `remove \`${key}\`` },
      ];
    return near
      ? [
          {
            code: "shape.unknown-key",
            message: `the key \`${key}\` is not known`,
            place,
            fix: `did you mean \`${near}\`?`,
          },
        ]
      : [];
  });
}

function collect(written: Located, faults: Faults): Step[] {
  if (faults.errors.length >= limits.faults) return [];
  const read = readStep(written);
  faults.errors.push(...read.errors);
  faults.warnings.push(...read.warnings);
  return read.step ? [read.step] : [];
}

function withTopAgents(steps: Step[], agents: Record<string, string>): Step[] {
  return steps.map((step) => ("agents" in step ? { ...step, agents: { ...agents, ...step.agents } } : step));
}

/** Gives every step a key: its own, or one made from its label that no other has. */
function withKeys(steps: Step[]): Step[] {
  const taken = new Set(steps.map((step) => step.key));
  return steps.map((step) => {
    if (step.key !== "") return step;
    const key = freeKey(step, taken);
    taken.add(key);
    return { ...step, key };
  });
}

function freeKey({ label, kind }: Step, taken: ReadonlySet<string>): string {
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
