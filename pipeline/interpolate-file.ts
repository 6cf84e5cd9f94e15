/** `$NAME` in every text of a pipeline file. */
import { interpolate } from "./expression/interpolate.ts";
import type { Fault } from "./fault.ts";
import { limits } from "./text/limits.ts";
import { assemble, type Located, locate, mapTexts } from "./text/located.ts";
import { textValue } from "./text/values.ts";

export interface InterpolatedFile {
  root: Located;
  errors: Fault[];
  warnings: Fault[];
}

interface Progress {
  known: Record<string, string>;
  /** Characters written so far. */
  written: number;
  errors: Fault[];
  warnings: Fault[];
}

/** The file's own `env` counts from its first line on, and wins over `variables`, as with Buildkite's agent. */
export function interpolateFile(root: Located, variables: Record<string, string>): InterpolatedFile {
  const progress: Progress = { known: { ...variables }, written: 0, errors: [], warnings: [] };
  const env = locate(root, ["env"]);
  const replaced = env?.children
    ? withEnvFirst(root, { ...env, children: env.children }, progress)
    : replace(root, progress);
  return { root: replaced, errors: progress.errors, warnings: progress.warnings };
}

function withEnvFirst(root: Located, env: Located & { children: Map<string, Located> }, progress: Progress): Located {
  const entries = new Map<string, Located>();
  for (const [written, child] of env.children) {
    const name = replaceText(written, child.keyPlace ?? child.place, progress);
    const entry = replace(child, progress);
    const text = textValue.safeParse(entry.value);
    if (text.success) progress.known[name] = text.data;
    entries.set(name, entry);
  }
  const parts = [...(root.children ?? [])].map(([key, part]): [string, Located] =>
    key === "env"
      ? [key, { ...env, children: entries, value: assemble(entries, false) }]
      : [replaceText(key, part.keyPlace ?? part.place, progress), replace(part, progress)],
  );
  const children = new Map(parts);
  return { ...root, children, value: assemble(children, false) };
}

function replace(part: Located, progress: Progress): Located {
  return mapTexts(part, (text, place) => replaceText(text, place, progress));
}

function replaceText(text: string, place: Located["place"], progress: Progress): string {
  const result =
    progress.written > limits.interpolated
      ? { problem: `all texts together grow beyond the limit of ${limits.interpolated} characters` }
      : interpolate(text, progress.known);
  if ("problem" in result) {
    if (progress.errors.length < limits.faults)
      progress.errors.push({ code: "pipeline.interpolation", message: result.problem, place });
    return text;
  }
  progress.written += result.text.length;
  for (const name of result.unset) warn(name, place, progress);
  return result.text;
}

/** Variables of the build are known only when there is one. */
function warn(name: string, place: Located["place"], { warnings }: Progress): void {
  if (/^(BUILDKITE|TOWLINE)_|^CI$/.test(name) || warnings.length >= limits.faults) return;
  const message = `\`$${name}\` is not known when the file is read, and becomes an empty text`;
  warnings.push({
    code: "pipeline.unset-variable",
    message,
    place,
    fix: `write \`$$${name}\` for the variable of the job's shell`,
  });
}
