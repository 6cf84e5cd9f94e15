/** `.towline/pipeline.yml` in Buildkite's step syntax → a checked pipeline. */
import { nearest } from "#api/nearest.ts";
import { interpolate } from "./expression/interpolate.ts";
import type { Fault, Parsed } from "./fault.ts";
import { lintPipeline } from "./lint.ts";
import { readStep } from "./step-reader.ts";
import { topShape, unsupportedTopKeys } from "./step-shape.ts";
import type { Pipeline, Step } from "./step.ts";
import { keyPlaceOf, type Located, locate, mapTexts } from "./text/located.ts";
import { readYaml } from "./text/read-yaml.ts";
import { checkShape } from "./text/shape.ts";
import { textValue } from "./text/values.ts";

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
  const faults: Faults = { errors: [], warnings: [...read.warnings] };
  const root = interpolateAll(asMap(read.value), variables, faults);
  reviewTopKeys(root, faults);
  const top = checkShape(root, topShape);
  const written = [...(locate(root, ["steps"])?.children?.values() ?? [])];
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

/** The file's own `env` counts from its first line on, and wins, as with Buildkite's agent. */
function interpolateAll(root: Located, variables: Record<string, string>, faults: Faults): Located {
  const known = { ...variables };
  const replace = (part: Located): Located =>
    mapTexts(part, (text, place) => replaceText({ text, place, known }, faults));
  const env = locate(root, ["env"]);
  if (!root.children || !env?.children) return replace(root);
  const entries = [...env.children].map(([name, child]): [string, Located] => {
    const replaced = replace(child);
    const value = textValue.safeParse(replaced.value);
    if (value.success) known[name] = value.data;
    return [name, replaced];
  });
  const rest = replace({ ...root, children: new Map([...root.children].filter(([key]) => key !== "env")) });
  const children = new Map(entries);
  const value = Object.fromEntries(entries.map(([name, child]) => [name, child.value]));
  const top = new Map([...(rest.children ?? []), ["env", { ...env, children, value }] as const]);
  return { ...rest, children: top, value: Object.fromEntries([...top].map(([key, child]) => [key, child.value])) };
}

interface Text {
  text: string;
  place: Located["place"];
  known: Record<string, string>;
}

function replaceText({ text, place, known }: Text, faults: Faults): string {
  const result = interpolate(text, known);
  if ("problem" in result) {
    faults.errors.push({ code: "pipeline.interpolation", message: result.problem, place });
    return text;
  }
  // Those of the build are known only when there is one.
  for (const name of result.unset.filter((unset) => !/^(BUILDKITE|TOWLINE)_|^CI$/.test(unset))) {
    const message = `\`$${name}\` is not known when the file is read, and becomes an empty text`;
    faults.warnings.push({
      code: "pipeline.unset-variable",
      message,
      place,
      fix: `write \`$$${name}\` for the variable of the job's shell`,
    });
  }
  return result.text;
}

const topKeys = Object.keys(topShape.shape);

/** Other keys at the top hold anchors for the steps; they are left alone unless they look like a misspelling. */
function reviewTopKeys(root: Located, faults: Faults): void {
  for (const key of root.children?.keys() ?? []) {
    if (topKeys.includes(key)) continue;
    const place = keyPlaceOf(root, [key]);
    const near = nearest(key, topKeys);
    if ((unsupportedTopKeys as readonly string[]).includes(key))
      faults.errors.push({
        code: "pipeline.not-supported",
        message: `\`${key}\` cannot be served yet`,
        place,
        fix: `remove \`${key}\``,
      });
    else if (near)
      faults.errors.push({
        code: "shape.unknown-key",
        message: `the key \`${key}\` is not known`,
        place,
        fix: `did you mean \`${near}\`?`,
      });
  }
}

function collect(written: Located, faults: Faults): Step[] {
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
