import { open } from "node:fs/promises";
import { join, relative } from "node:path";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import type { Fault } from "#pipeline/fault.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { limits } from "#pipeline/text/limits.ts";
import { pipelineFiles } from "#pipeline/pipeline-names.ts";
import { manifestName } from "#pipeline/services.ts";
import { firstThatIs, localRepository } from "../local-services.ts";
import { paint, print, printJson } from "../output.ts";

interface Finding {
  code: string;
  message: string;
  line: number;
  column: number;
  fix?: string;
}

interface Report {
  file: string;
  ok: boolean;
  errors: Finding[];
  warnings: Finding[];
}

/**
 * Checks pipeline files as a build would read them, without names those of the repository with the manifests of its services; the exit
 * status is 1 when one has an error.
 */
export async function lintFiles(flags: { json?: boolean }, files: readonly string[]): Promise<void> {
  const reports: Report[] = files.length > 0 ? [] : await lintManifests();
  for (const file of files.length > 0 ? files : await ownPipelines()) reports.push(await lintFile(file));
  if (flags.json) printJson(reports);
  else reports.forEach(show);
  if (reports.some(({ ok }) => !ok)) process.exitCode = 1;
}

async function lintManifests(): Promise<Report[]> {
  const { top, services } = await localRepository();
  return services.map(({ folder, faults }) => ({
    file: relative(process.cwd(), join(top, folder, manifestName)),
    ok: faults.length === 0,
    errors: faults.map(findingOf),
    warnings: [],
  }));
}

/** Of each service, and of the whole repository. */
async function ownPipelines(): Promise<string[]> {
  const { top, services } = await localRepository();
  const folders = new Set(["", ...services.map(({ folder }) => folder)]);
  const found = [...folders].map((folder) => firstThatIs(pipelineFiles.map((file) => join(top, folder, file))));
  return (await Promise.all(found)).flatMap((file) => (file === undefined ? [] : [relative(process.cwd(), file)]));
}

async function lintFile(file: string): Promise<Report> {
  const text = await readPipelineText(file);
  if (typeof text !== "string") return { file, ok: false, errors: [text], warnings: [] };
  const { errors = [], warnings } = parsePipeline({ file, text, variables: buildVariables(anyBuild) });
  return { file, ok: errors.length === 0, errors: errors.map(findingOf), warnings: warnings.map(findingOf) };
}

function findingOf({ code, message, place, fix }: Fault): Finding {
  const { line, column } = place;
  return { code, message, line, column, ...(fix === undefined ? {} : { fix }) };
}

/** What `$BUILDKITE_BRANCH` and its like stand for while there is no build. */
const anyBuild: BuildContext = {
  build: { number: 1, branch: "main", commit: "0".repeat(40), message: "", source: "push", env: {} },
  pipeline: { slug: "", defaultBranch: "main" },
};

/** Not more than tells that the file is too large. */
export async function readPipelineText(file: string): Promise<string | Finding> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(limits.bytes + 1), 0, limits.bytes + 1, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { code: "not-found", message: `the file cannot be read: ${why}`, line: 1, column: 1 };
  }
}

function show({ file, ok, errors, warnings }: Report): void {
  print(`${ok ? paint("green", "✓") : paint("red", "✗")} ${file}`);
  for (const error of errors) print(`  ${sentence(file, error)} ${paint("red", `[${error.code}]`)}`);
  for (const warning of warnings) print(`  ${sentence(file, warning)} ${paint("yellow", `[${warning.code}]`)}`);
}

function sentence(file: string, { message, line, column, fix }: Finding): string {
  return `${file}:${line}:${column}: ${message}${fix ? ` (${fix})` : ""}`;
}
