import { variableName } from "#api/names.ts";
import { type Command, type CommandCall, inputText, ToolFailure } from "../command.ts";
import type { Flag } from "../flags.ts";

const inputLimit = 1024 * 1024;
const mostVariables = 1_000;

const format: Record<string, Flag> = { format: { takes: "word", help: "plain, json or json-pretty." } };
const changing: Record<string, Flag> = {
  "input-format": { takes: "word", help: "plain or json." },
  "output-format": { takes: "word", help: "plain or quiet." },
};

function printable(call: CommandCall, fallback: string, shown: Record<string, string>): string {
  const wanted = call.flags.word("format") ?? fallback;
  if (wanted === "json") return `${JSON.stringify(shown)}\n`;
  if (wanted === "json-pretty") return `${JSON.stringify(shown, undefined, 2)}\n`;
  if (wanted !== "plain") throw new ToolFailure(`there is no format ${wanted}: plain, json or json-pretty`);
  const [only, more] = call.args;
  if (only !== undefined && more === undefined) return only in shown ? `${shown[only]}\n` : "";
  return Object.entries(shown)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function get(call: CommandCall): Promise<number> {
  const all = call.job.variables.all();
  const missing = call.args.filter((name) => !Object.hasOwn(all, name));
  const asked = call.args.filter((name) => Object.hasOwn(all, name)).map((name) => [name, all[name] ?? ""]);
  await call.tool.out(printable(call, "plain", call.args.length > 0 ? Object.fromEntries(asked) : all));
  for (const name of missing) await call.tool.err(`${name} is not set\n`);
  return missing.length > 0 ? 1 : 0;
}

/** The arguments, and in place of `-` what comes on standard input. */
async function given(call: CommandCall): Promise<string[]> {
  const { args } = call;
  if (!args.includes("-")) return args;
  const input = await inputText(call, inputLimit);
  const lines = call.flags.word("input-format") === "json" ? [input] : input.split("\n").filter(Boolean);
  return args.flatMap((arg) => (arg === "-" ? lines : [arg]));
}

function changes(call: CommandCall, words: readonly string[]): [string, string][] {
  if (call.flags.word("input-format") === "json") return words.flatMap((word) => Object.entries(jsonMap(word)));
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw new ToolFailure(`${word} is not NAME=value`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function jsonMap(text: string): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, String(value)]));
  } catch {
    throw new ToolFailure("the input is no JSON object");
  }
}

/** Facts of the build and the job stay what they are. */
function mustBeFree(name: string): void {
  if (!variableName.safeParse(name).success) throw new ToolFailure(`${name} is no name of a variable`);
  if (/^(BUILDKITE|TOWLINE)(_|$)/.test(name)) throw new ToolFailure(`${name} is the platform's and cannot be changed`);
}

async function set(call: CommandCall): Promise<void> {
  const { job, tool, flags } = call;
  const wanted = changes(call, await given(call));
  wanted.forEach(([name]) => mustBeFree(name));
  if (Object.keys(job.variables.all()).length + wanted.length > mostVariables)
    throw new ToolFailure(`a job has at most ${mostVariables} variables`);
  const done = wanted.map(([name, value]) => [name, job.variables.set(name, value)] as const);
  await job.variables.tell();
  if (flags.word("output-format") === "quiet") return;
  const lines = (how: "added" | "updated", title: string, sign: string) => {
    const names = done.filter(([, what]) => what === how).map(([name]) => `${sign} ${name}`);
    return names.length > 0 ? [title, ...names] : [];
  };
  await tool.out([...lines("added", "Added:", "+"), ...lines("updated", "Updated:", "~"), ""].join("\n"));
}

async function unset(call: CommandCall): Promise<void> {
  const names = await given(call);
  names.forEach(mustBeFree);
  const removed = names.filter((name) => call.job.variables.unset(name));
  await call.job.variables.tell();
  if (call.flags.word("output-format") === "quiet" || removed.length === 0) return;
  await call.tool.out(["Unset:", ...removed.map((name) => `- ${name}`), ""].join("\n"));
}

const note = "The next command of the step sees a change, and so do the hooks after it; what runs already does not.";

export const env: Record<string, Command> = {
  get: { usage: "[NAME...]", summary: "Print variables of the job.", help: note, flags: format, run: get },
  set: {
    usage: "NAME=value...",
    summary: "Set variables of the job; `-` reads them from standard input.",
    help: note,
    args: { least: 1 },
    flags: changing,
    run: set,
  },
  unset: {
    usage: "NAME...",
    summary: "Remove variables of the job.",
    help: note,
    args: { least: 1 },
    flags: changing,
    run: unset,
  },
  dump: {
    usage: "",
    summary: "Print the environment of whoever calls, as JSON.",
    args: { most: 0 },
    flags: format,
    run: (call) => call.tool.out(printable(call, "json", call.tool.env)),
  },
};
