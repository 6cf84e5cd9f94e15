/** The tree of commands: finding the one that is meant, its help, and what is said of one that is not there. */
import { basename } from "node:path";
import { nearest } from "#api/nearest.ts";
import packageJson from "../../package.json" with { type: "json" };
import { type Command, ToolFailure, type ToolJob } from "./command.ts";
import { annotate, annotation } from "./commands/annotate.ts";
import { artifact } from "./commands/artifact.ts";
import { env } from "./commands/env.ts";
import { lock } from "./commands/lock.ts";
import { metaData } from "./commands/meta-data.ts";
import { pipeline } from "./commands/pipeline.ts";
import { redactor } from "./commands/redactor.ts";
import { secret } from "./commands/secret.ts";
import { step } from "./commands/step.ts";
import { parseFlags } from "./flags.ts";
import { InputTooLarge, type ToolCall } from "./listen.ts";

type Group = Record<string, Command>;

/** All there is, by the words of a call: `meta-data`, then `set`. */
export const groups: Record<string, Group | Command> = {
  annotate,
  annotation,
  artifact,
  env,
  lock,
  "meta-data": metaData,
  pipeline,
  redactor,
  secret,
  step,
};

/** Commands of Buildkite's agent that make no sense inside a job. */
const elsewhere: Record<string, string> = {
  start: "an agent is started with `towline agent` on its machine, not inside a job",
  bootstrap: "the agent itself checks out and runs the job",
};

/** The version of Buildkite's agent whose commands these are. */
const spokenVersion = "3.100.0";

/** Does what a call asks and answers its exit status. */
export async function answerCall(job: ToolJob, tool: ToolCall): Promise<number> {
  const [program = "", ...words] = tool.args;
  const name = basename(program);
  try {
    return await dispatch(job, tool, { name, words });
  } catch (error) {
    if (!(error instanceof ToolFailure) && !(error instanceof InputTooLarge)) throw error;
    await tool.err(`${name}: ${error.message}\n`);
    return error instanceof ToolFailure ? error.status : 1;
  }
}

interface Asked {
  /** How the tool was called. */
  name: string;
  words: string[];
}

async function dispatch(job: ToolJob, tool: ToolCall, { name, words }: Asked): Promise<number> {
  const [first, second] = words;
  if (tool.args.some((word) => word.includes("\ufffd"))) throw new ToolFailure("an argument is not UTF-8 text");
  if (first === undefined || isHelp(first)) return print(tool, overview(name));
  if (first === "--version" || first === "-v" || first === "version") return print(tool, version(name));
  const found = own(groups, first);
  if (!found) throw new ToolFailure(unknown(first, Object.keys(groups)));
  if (isCommand(found)) return runCommand(job, tool, { name: `${name} ${first}`, words: words.slice(1) }, found);
  if (second === undefined || isHelp(second)) return print(tool, groupHelp(`${name} ${first}`, found));
  const command = own(found, second);
  if (!command) throw new ToolFailure(unknown(`${first} ${second}`, Object.keys(found), second));
  return runCommand(job, tool, { name: `${name} ${first} ${second}`, words: words.slice(2) }, command);
}

async function runCommand(job: ToolJob, tool: ToolCall, { name, words }: Asked, command: Command): Promise<number> {
  const parsed = parseFlags(words, { ...command.flags, ...jobFlag }, tool.env);
  if ("problem" in parsed) throw new ToolFailure(parsed.problem);
  if (parsed.wantsHelp) return print(tool, commandHelp(name, command));
  const { args, flags } = parsed;
  const { least = 0, most = Infinity } = command.args ?? {};
  if (args.length < least || args.length > most) throw new ToolFailure(`usage: ${name} ${command.usage}`);
  const other = flags.word("job");
  if (other && other !== job.assignment.job) throw new ToolFailure("a job speaks for itself alone: leave --job out");
  return (await command.run({ job, tool, args, flags })) ?? 0;
}

const jobFlag = { job: { takes: "word", help: "The job itself; no other is possible." } } as const;

const own = <T>(table: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
export const isCommand = (found: Group | Command): found is Command => typeof found["run"] === "function";
const isHelp = (word: string) => ["--help", "-h", "help"].includes(word);

async function print(tool: ToolCall, text: string): Promise<number> {
  await tool.out(`${text}\n`);
  return 0;
}

function version(name: string): string {
  return name === "buildkite-agent"
    ? `buildkite-agent version ${spokenVersion}+towline.${packageJson.version}`
    : `towline-agent version ${packageJson.version}`;
}

function unknown(asked: string, there: string[], word = asked): string {
  const why = own(elsewhere, asked);
  if (why) return `${asked} is not for jobs: ${why}`;
  const meant = nearest(word, there);
  return `there is no command ${asked}${meant ? `; did you mean ${meant}?` : ""} There are: ${there.join(", ")}`;
}

function overview(name: string): string {
  const lines = Object.entries(groups).flatMap(([group, found]) =>
    isCommand(found) ? [line(group, found)] : Object.entries(found).map(([key, each]) => line(`${group} ${key}`, each)),
  );
  return [`${name}: what a job says to the platform that runs it.`, "", ...lines].join("\n");
}

function groupHelp(name: string, group: Group): string {
  return [`${name}:`, "", ...Object.entries(group).map(([key, command]) => line(key, command))].join("\n");
}

const line = (key: string, { usage, summary }: Command) => `  ${`${key} ${usage}`.trim().padEnd(36)} ${summary}`;

function commandHelp(name: string, { usage, summary, help, flags = {} }: Command): string {
  const options = Object.entries(flags).map(
    ([flag, { takes, help: text, variable }]) =>
      `  ${`--${flag}${takes === "word" ? " VALUE" : ""}`.padEnd(28)} ${text}${variable ? ` [$${variable}]` : ""}`,
  );
  return [
    `usage: ${name} ${usage}`,
    "",
    summary,
    ...(help ? ["", help] : []),
    ...(options.length ? ["", ...options] : []),
  ].join("\n");
}
