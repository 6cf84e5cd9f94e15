import { metaDataLimit } from "#api/endpoints/job.ts";
import type { Flag } from "../flags.ts";
import { ask, type Command, type CommandCall, inputText, ToolFailure } from "../command.ts";

const missing = 100;

const build: Record<string, Flag> = {
  build: { takes: "word", variable: "BUILDKITE_BUILD_ID", help: "Id of another build of the same repository." },
};

async function valueOf(call: CommandCall): Promise<string | undefined> {
  const query = { key: call.args[0] ?? "", build: call.flags.word("build") };
  const { value } = await ask(call, () => call.job.client.getMetaData({ query }));
  return value ?? undefined;
}

export const metaData: Record<string, Command> = {
  set: {
    usage: "KEY [VALUE]",
    summary: "Keep a value for the other jobs of the build; without VALUE it is read from standard input.",
    args: { least: 1, most: 2 },
    async run(call) {
      const [key = "", given] = call.args;
      const text = given ?? (await inputText(call, metaDataLimit));
      if (text.trim() === "") throw new ToolFailure("the value is empty, or nothing but blanks");
      const body = { key, value: call.job.maskText(text) };
      await ask(call, () => call.job.client.setMetaData({ body }));
    },
  },
  get: {
    usage: "KEY",
    summary: "Print a value, as it is.",
    args: { least: 1, most: 1 },
    flags: { ...build, default: { takes: "word", help: "What to print where there is none." } },
    async run(call) {
      const value = (await valueOf(call)) ?? call.flags.word("default");
      if (value === undefined) throw new ToolFailure(`the build has no meta-data ${call.args[0]}`);
      await call.tool.out(value);
    },
  },
  exists: {
    usage: "KEY",
    summary: `Exit with 0 where the key has a value, and with ${missing} where it has none.`,
    args: { least: 1, most: 1 },
    flags: build,
    run: async (call) => ((await valueOf(call)) === undefined ? missing : 0),
  },
  keys: {
    usage: "",
    summary: "Print the keys of the build, one a line.",
    args: { most: 0 },
    flags: build,
    async run(call) {
      const query = { build: call.flags.word("build") };
      const { keys } = await ask(call, () => call.job.client.listMetaDataKeys({ query }));
      await call.tool.out(keys.map((key) => `${key}\n`).join(""));
    },
  },
};
