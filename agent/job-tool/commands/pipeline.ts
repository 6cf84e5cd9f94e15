import { stringify } from "yaml";
import type { UploadedPipeline } from "#api/endpoints/job.ts";
import { newId } from "#kernel/clock.ts";
import { renderFault } from "#pipeline/fault.ts";
import { interpolateFile } from "#pipeline/interpolate-file.ts";
import { readYaml } from "#pipeline/text/read-yaml.ts";
import { ask, type Command, type CommandCall, decode, inputText, ToolFailure } from "../command.ts";
import { openFile, pathInside } from "../workspace-files.ts";

/** The first that is there is the pipeline, where none is named and nothing comes on standard input. */
const usualFiles = [
  ...[".towline/pipeline.yml", ".towline/pipeline.yaml"],
  ...["buildkite.yml", "buildkite.yaml", "buildkite.json"],
  ...[".buildkite/pipeline.yml", ".buildkite/pipeline.yaml", ".buildkite/pipeline.json"],
  ...["buildkite/pipeline.yml", "buildkite/pipeline.yaml", "buildkite/pipeline.json"],
];
const textLimit = 1024 * 1024;

interface Source {
  file: string;
  text: string;
}

async function sourceOf(call: CommandCall): Promise<Source> {
  const [named] = call.args;
  if (named !== undefined) {
    const text = await readFile(call, named);
    if (text === undefined) throw new ToolFailure(`there is no file ${named} in ${call.job.workspace.seen}`);
    return { file: named, text };
  }
  const input = await inputText(call, textLimit);
  if (input.trim() !== "") return { file: "(stdin)", text: input };
  for (const file of usualFiles) {
    const text = await readFile(call, file);
    if (text !== undefined) return { file, text };
  }
  throw new ToolFailure(`there is no pipeline: name its file, or have one of ${usualFiles.join(", ")}`);
}

async function readFile({ job, tool }: CommandCall, name: string): Promise<string | undefined> {
  const path = pathInside(job.workspace, tool.folder, name);
  const opened = path === undefined ? undefined : await openFile(job.workspace, path);
  if (!opened) return undefined;
  await using file = opened;
  if ((await file.stat()).size > textLimit) throw new ToolFailure(`${name} has more than ${textLimit} bytes`);
  return decode(await file.readFile(), name);
}

/** Of the caller's variables those whose names stand behind a dollar somewhere in the text: the rest stays in the job. */
function variablesFor(text: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const names = new Set([...text.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = ""]) => name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.has(name)));
}

/** The pipeline as it will be read, its variables filled in; fails with the faults of the text. */
function filledIn({ file, text }: Source, variables: Record<string, string>, interpolate: boolean): unknown {
  const read = readYaml(file, text);
  if (read.errors) throw new ToolFailure(read.errors.map(renderFault).join("\n"));
  if (!interpolate) return read.value.value;
  const { root, errors } = interpolateFile(read.value, variables);
  if (errors.length > 0) throw new ToolFailure(errors.map(renderFault).join("\n"));
  return root.value;
}

async function upload(call: CommandCall): Promise<void> {
  const { flags, job, tool } = call;
  const source = await sourceOf(call);
  const interpolate = !flags.on("no-interpolation");
  const variables = interpolate ? variablesFor(source.text, tool.env) : {};
  const filled = filledIn(source, variables, interpolate);
  const shown = JSON.stringify(filled, undefined, 2);
  if (job.maskText(shown) !== shown) {
    if (flags.on("reject-secrets")) throw new ToolFailure(`${source.file} has the value of a secret in it`);
    await tool.err(`warning: ${source.file} has the value of a secret in it, which is kept with the build in clear\n`);
  }
  if (flags.on("dry-run")) return tool.out(flags.word("format") === "yaml" ? stringify(filled) : `${shown}\n`);
  const replace = flags.on("replace");
  const body = { upload: newId(), file: source.file, text: source.text, variables, interpolate, replace };
  await tell(call, await ask(call, () => job.client.uploadPipeline({ body })));
}

async function tell({ tool }: CommandCall, { steps, removed, warnings }: UploadedPipeline): Promise<void> {
  for (const { message, place } of warnings)
    await tool.err(`warning: ${place ? `${place.file}:${place.line}: ` : ""}${message}\n`);
  if (removed.length > 0) await tool.err(`removed from the build: ${removed.join(", ")}\n`);
  await tool.err(`added to the build: ${steps.join(", ") || "nothing"}\n`);
}

export const pipeline: Record<string, Command> = {
  upload: {
    usage: "[FILE]",
    summary: "Add steps to the build; without FILE they are read from standard input, or from the usual file.",
    help: `Usual files: ${usualFiles.join(", ")}`,
    args: { most: 1 },
    flags: {
      "dry-run": { takes: "switch", help: "Print it with its variables filled in, and add nothing." },
      format: { takes: "word", help: "Of --dry-run: json or yaml." },
      "no-interpolation": {
        takes: "switch",
        variable: "BUILDKITE_PIPELINE_NO_INTERPOLATION",
        help: "Leave `$NAME` as it is.",
      },
      "reject-secrets": {
        takes: "switch",
        variable: "BUILDKITE_AGENT_PIPELINE_UPLOAD_REJECT_SECRETS",
        help: "Fail when the value of a secret is in it.",
      },
      replace: {
        takes: "switch",
        variable: "BUILDKITE_PIPELINE_REPLACE",
        help: "Put it in the place of all steps that have not begun.",
      },
      "apply-if-changed": { takes: "switch", help: "`if_changed` always counts." },
    },
    run: upload,
  },
};
