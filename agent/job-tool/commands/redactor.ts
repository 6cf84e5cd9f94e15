import { type Command, type CommandCall, decode, inputText, ToolFailure } from "../command.ts";
import { openFile, pathInside } from "../workspace-files.ts";

/** Bytes of all values of one call: each is looked for in many spellings. */
const valuesLimit = 64 * 1024;

async function textOf(call: CommandCall): Promise<string> {
  const [name] = call.args;
  if (name === undefined || name === "-") return inputText(call, valuesLimit);
  const path = pathInside(call.job.workspace, call.tool.folder, name);
  const opened = path === undefined ? undefined : await openFile(call.job.workspace, path);
  if (!opened) throw new ToolFailure(`there is no file ${name} in ${call.job.workspace.seen}`);
  await using file = opened;
  if ((await file.stat()).size > valuesLimit) throw new ToolFailure(`${name} has more than ${valuesLimit} bytes`);
  return decode(await file.readFile(), name);
}

function valuesOf(text: string, format: string): string[] {
  if (format === "none") return [text.trim()];
  if (format !== "json") throw new ToolFailure(`there is no format ${format}: json or none`);
  try {
    return Object.values(JSON.parse(text) as object).filter((value) => typeof value === "string");
  } catch {
    throw new ToolFailure("the input is no JSON object");
  }
}

export const redactor: Record<string, Command> = {
  add: {
    usage: "[FILE]",
    summary: "Hide values in the log of this job from now on; without FILE they are read from standard input.",
    args: { most: 1 },
    flags: {
      format: { takes: "word", help: "none: the whole input is one value; json: the values of an object." },
      "apply-vars-filter": { takes: "switch", help: "Every value is hidden." },
    },
    async run(call) {
      const values = valuesOf(await textOf(call), call.flags.word("format") ?? "none");
      for (const value of values) if (value !== "") await call.job.hide(value);
    },
  },
};
