import { ask, type Command, type CommandCall, ToolFailure } from "../command.ts";

function print(call: CommandCall, values: Record<string, string>): string {
  const format = call.flags.word("format") ?? "default";
  const [only = ""] = call.args;
  if (format === "default" && call.args.length === 1) return `${values[only.toUpperCase()] ?? ""}\n`;
  if (format === "env")
    return Object.entries(values)
      .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`)
      .join("");
  if (format !== "default" && format !== "json") throw new ToolFailure(`there is no format ${format}: json or env`);
  return `${JSON.stringify(Object.fromEntries(call.args.map((name) => [name, values[name.toUpperCase()]])))}\n`;
}

export const secret: Record<string, Command> = {
  get: {
    usage: "NAME...",
    summary: "Print secrets of the repository; their values are hidden in the log.",
    args: { least: 1, most: 100 },
    flags: {
      format: { takes: "word", variable: "BUILDKITE_AGENT_SECRET_GET_FORMAT", help: "json or env." },
      "skip-redaction": { takes: "switch", help: "Secrets are always hidden." },
    },
    async run(call) {
      const names = call.args.map((name) => name.toUpperCase());
      const { values } = await ask(call, () => call.job.client.readSecrets({ body: { names } }));
      // First, or the log could show what is printed before it is known.
      for (const value of Object.values(values)) await call.job.hide(value);
      await call.tool.out(print(call, values));
    },
  },
};
