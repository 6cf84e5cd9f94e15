import { ask, type Command, type CommandCall, ToolFailure } from "../command.ts";

async function get(call: CommandCall): Promise<void> {
  const { args, flags, job, tool } = call;
  const query = { step: flags.word("step") ?? job.assignment.job, build: flags.word("build") };
  const { attributes } = await ask(call, () => job.client.showStep({ query }));
  const [name] = args;
  const format = flags.word("format");
  if (format !== undefined && format !== "json") throw new ToolFailure(`there is no format ${format}: only json`);
  if (name === undefined) {
    if (format !== "json") throw new ToolFailure("a whole step is printed with --format json");
    return tool.out(JSON.stringify(attributes));
  }
  if (!Object.hasOwn(attributes, name))
    throw new ToolFailure(`a step has no attribute ${name}; it has ${Object.keys(attributes).join(", ")}`);
  const value = attributes[name];
  if (format === "json") return tool.out(JSON.stringify(value));
  if (typeof value === "object" && value !== null) throw new ToolFailure(`${name} is printed with --format json`);
  return tool.out(String(value ?? ""));
}

export const step: Record<string, Command> = {
  get: {
    usage: "[ATTRIBUTE]",
    summary: "Print an attribute of a step of the build.",
    args: { most: 1 },
    flags: {
      step: { takes: "word", help: "Key of the step, or id of its job; the job's own where it is not given." },
      build: { takes: "word", variable: "BUILDKITE_BUILD_ID", help: "Id of another build of the same repository." },
      format: { takes: "word", variable: "BUILDKITE_STEP_GET_FORMAT", help: "Only json." },
    },
    run: get,
  },
  update: {
    usage: "ATTRIBUTE VALUE",
    summary: "Not possible: a step stays as the pipeline has it.",
    flags: {
      append: { takes: "switch", help: "" },
      step: { takes: "word", help: "" },
      build: { takes: "word", help: "" },
    },
    async run() {
      throw new ToolFailure(
        "a step stays as the pipeline has it; tell what happened with `annotate` or `meta-data set`",
      );
    },
  },
};
