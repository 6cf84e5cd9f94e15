import { posix } from "node:path";
import type { Artifact } from "#api/endpoints/build-records.ts";
import { isRefusal } from "#api/errors.ts";
import { ask, type Command, type CommandCall, failureOf, ToolFailure } from "../command.ts";
import type { Flag } from "../flags.ts";
import { fetchFiles } from "../fetch-files.ts";
import { keepFiles } from "../keep-files.ts";
import { pathInside } from "../workspace-files.ts";

const searching: Record<string, Flag> = {
  step: { takes: "word", help: "Only of this step: its key, or the id of its job." },
  build: { takes: "word", variable: "BUILDKITE_BUILD_ID", help: "Id of another build of the same repository." },
  "include-retried-jobs": { takes: "switch", help: "Also what a later attempt of the same job has replaced." },
};

async function search(call: CommandCall): Promise<Artifact[]> {
  const { flags } = call;
  const retried = flags.on("include-retried-jobs") ? ("true" as const) : ("false" as const);
  const query = { query: call.args[0] ?? "", step: flags.word("step"), build: flags.word("build"), retried };
  return (await ask(call, () => call.job.client.searchArtifacts({ query }))).artifacts;
}

const noneFound = ({ args }: CommandCall) => new ToolFailure(`no artifact is found by ${args[0]}`);

async function upload(call: CommandCall): Promise<void> {
  const { args, flags, job, tool } = call;
  const [patterns = "", destination] = args;
  if (destination !== undefined)
    throw new ToolFailure(`artifacts are kept by the platform itself: leave ${destination} out`);
  const separator = flags.word("delimiter") ?? ";";
  const given = flags.on("literal") ? [patterns] : patterns.split(separator);
  const kept = await keepFiles(job, {
    folder: tool.folder,
    wanted: given.map((pattern) => ({ from: pattern.trim() })).filter(({ from }) => from !== ""),
    contentType: flags.word("content-type"),
    signal: tool.signal,
    say: (line) => tool.err(`${line}\n`),
  });
  if (isRefusal(kept)) throw failureOf(kept);
}

async function download(call: CommandCall): Promise<void> {
  const { args, job, tool } = call;
  const into = pathInside(job.workspace, tool.folder, args[1] ?? ".");
  if (into === undefined)
    throw new ToolFailure(`${args[1]} lies outside of ${job.workspace.seen}, where the agent cannot write`);
  const found = await search(call);
  if (found.length === 0) throw noneFound(call);
  await fetchFiles(job, found, {
    placeOf: ({ path }) => posix.join(into, path),
    signal: tool.signal,
    say: (line) => tool.err(`${line}\n`),
  });
}

async function print(call: CommandCall): Promise<void> {
  const found = await search(call);
  if (found.length === 0 && !call.flags.on("allow-empty-results")) throw noneFound(call);
  const format = (call.flags.word("format") ?? "%j %p %c\n").replaceAll("\\n", "\n").replaceAll("\\t", "\t");
  const { addressOf } = call.job.server;
  await call.tool.out(found.map((artifact) => render(format, artifact, addressOf(artifact.id))).join(""));
}

function render(format: string, artifact: Artifact, address: string): string {
  const parts: Record<string, string> = {
    "%i": artifact.id,
    "%p": artifact.path,
    "%c": artifact.createdAt,
    "%j": artifact.job,
    "%s": String(artifact.size),
    "%S": artifact.sha1,
    "%T": artifact.digest.slice("sha256:".length),
    "%u": address,
  };
  return format.replaceAll(/%[ipcjsSTu]/g, (part) => parts[part] ?? part);
}

async function shasum(call: CommandCall): Promise<void> {
  const [found, another] = await search(call);
  if (!found) throw noneFound(call);
  if (another) throw new ToolFailure("several artifacts are found: narrow the query, or name a --step");
  const sum = call.flags.on("sha256") ? found.digest.slice("sha256:".length) : found.sha1;
  await call.tool.out(`${sum}\n`);
}

export const artifact: Record<string, Command> = {
  upload: {
    usage: "'GLOB;GLOB'",
    summary: "Keep files of the workspace with the build.",
    args: { least: 1, most: 2 },
    flags: {
      "content-type": { takes: "word", help: "Media type of the files, in place of what their names tell." },
      delimiter: { takes: "word", help: "What stands between globs; `;` where it is not given." },
      literal: { takes: "switch", help: "The argument is the path of one file." },
      "follow-symlinks": { takes: "switch", help: "Links to files of the workspace are always followed." },
      "glob-resolve-follow-symlinks": { takes: "switch", help: "The same." },
      "upload-skip-symlinks": { takes: "switch", help: "The same." },
    },
    run: upload,
  },
  download: {
    usage: "GLOB FOLDER",
    summary: "Fetch artifacts of the build into the workspace, under their paths.",
    args: { least: 2, most: 2 },
    flags: searching,
    run: download,
  },
  search: {
    usage: "GLOB",
    summary: "Print the artifacts that a glob finds; `*` crosses folders too.",
    help: "%i id, %p path, %c time, %j job, %s size, %S SHA-1, %T SHA-256, %u address",
    args: { least: 1, most: 1 },
    flags: {
      ...searching,
      format: { takes: "word", help: "Of each line; `%j %p %c\\n` where it is not given." },
      "allow-empty-results": { takes: "switch", help: "Exit with 0 when there is none." },
    },
    run: print,
  },
  shasum: {
    usage: "GLOB",
    summary: "Print the SHA-1 of the one artifact that a glob finds.",
    args: { least: 1, most: 1 },
    flags: { ...searching, sha256: { takes: "switch", help: "SHA-256 in its place." } },
    run: shasum,
  },
};
