import { annotationStyles } from "#api/endpoints/build-records.ts";
import { ask, type Command, inputText, ToolFailure } from "../command.ts";
import type { Flag } from "../flags.ts";

const context: Flag = {
  takes: "word",
  variable: "BUILDKITE_ANNOTATION_CONTEXT",
  help: "Name of the annotation; `default` where it is not given.",
};

/** More than the server takes, so that it is the server that says so. */
const inputLimit = 2 * 1024 * 1024;

export const annotate: Command = {
  usage: "[TEXT]",
  summary: "Write Markdown on the page of the build; without TEXT it is read from standard input.",
  args: { most: 1 },
  flags: {
    context,
    style: { takes: "word", variable: "BUILDKITE_ANNOTATION_STYLE", help: `One of ${annotationStyles.join(", ")}.` },
    append: { takes: "switch", variable: "BUILDKITE_ANNOTATION_APPEND", help: "Add to what is there." },
    priority: { takes: "word", variable: "BUILDKITE_ANNOTATION_PRIORITY", help: "1 to 10; the highest comes first." },
    scope: { takes: "word", help: "Only `build`." },
  },
  async run(call) {
    const { args, flags, job } = call;
    const style = annotationStyles.find((each) => each === flags.word("style"));
    if (flags.word("style") && !style) throw new ToolFailure(`a style is one of ${annotationStyles.join(", ")}`);
    if ((flags.word("scope") ?? "build") !== "build")
      throw new ToolFailure("annotations are of the build: leave --scope out");
    const priority = flags.word("priority");
    if (priority !== undefined && !/^([1-9]|10)$/.test(priority)) throw new ToolFailure("a priority is 1 to 10");
    const text = args[0] || (await inputText(call, inputLimit));
    const body = {
      ...{ context: flags.word("context"), append: flags.on("append"), style },
      // Without a text only style and priority change.
      ...(text === "" ? {} : { body: job.maskText(text) }),
      ...(priority === undefined ? {} : { priority: Number(priority) }),
    };
    await ask(call, () => job.client.annotate({ body }));
  },
};

export const annotation: Record<string, Command> = {
  remove: {
    usage: "",
    summary: "Remove an annotation of the build.",
    args: { most: 0 },
    flags: { context },
    async run(call) {
      const query = { context: call.flags.word("context") };
      await ask(call, () => call.job.client.removeAnnotation({ query }));
    },
  },
};
