import { ask, type Command, type CommandCall, inputText, ToolFailure } from "../command.ts";

const mostBytes = 4096;

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

async function update(call: CommandCall): Promise<void> {
  const { flags, job, args, tool } = call;
  const [name = ""] = args;
  const other = flags.word("build");
  if (other !== undefined && other !== job.assignment.build.id)
    throw new ToolFailure("only steps of the job's own build can be changed");
  const value = args[1] ?? (await inputText(call, mostBytes)).replace(/\r?\n$/, "");
  const target = flags.word("step") ?? job.assignment.job;
  if (name === "notify") return tool.err("warning: notifications of a single step are not delivered\n");
  const body = { step: target, ...(await changeOf(call, { name, value, target })) };
  await ask(call, () => job.client.updateStep({ body }));
}

async function changeOf(
  call: CommandCall,
  { name, value, target }: { name: string; value: string; target: string },
): Promise<{ label: string } | { priority: number }> {
  const append = call.flags.on("append");
  if (name === "label") return { label: `${append ? await labelOf(call, target) : ""}${call.job.maskText(value)}` };
  if (name !== "priority") throw new ToolFailure(`${name} cannot be changed: only label and priority can`);
  if (append) throw new ToolFailure("nothing can be added to a priority");
  if (!/^-?\d{1,7}$/.test(value)) throw new ToolFailure("a priority is a whole number");
  return { priority: Number(value) };
}

async function labelOf(call: CommandCall, step: string): Promise<string> {
  const { attributes } = await ask(call, () => call.job.client.showStep({ query: { step } }));
  return String(attributes["label"] ?? "");
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
    usage: "ATTRIBUTE [VALUE]",
    summary:
      "Change the label or priority of a job or trigger of the build; without VALUE it is read from standard input.",
    args: { least: 1, most: 2 },
    flags: {
      append: { takes: "switch", variable: "BUILDKITE_STEP_UPDATE_APPEND", help: "Add to the label." },
      step: { takes: "word", help: "Key of the step, or id of its job; the job's own where it is not given." },
      build: { takes: "word", help: "The job's own build; no other can be changed." },
    },
    run: update,
  },
};
