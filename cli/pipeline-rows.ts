/** The commands about pipeline files; none needs a server. */
import type { CommandRow } from "./command-rows.ts";

export const pipelineRows: readonly CommandRow[] = [
  {
    usage: "pipeline lint [files...]",
    summary:
      "check pipeline files without a server, all of the repository when none is named; the exit status is 1 when one has an error",
    example: "towline pipeline lint .towline/pipeline.yml --json",
    load: async () => (await import("./commands/pipeline-lint.ts")).lintFiles,
  },
  {
    usage: "pipeline plan [file]",
    summary: "show which steps a build of this folder would run, and why",
    options: [
      ["--service <name>", "a build of this service, where the repository has several"],
      ["--branch <name>", "as a build of this branch (default: the one that is checked out)"],
      ["--pull-request <number>", "as a build of this pull request"],
      ["--tag <name>", "as a build of this tag"],
      ["--changed <paths...>", "as if these files had changed (default: what Git says)"],
    ],
    example: "towline pipeline plan --branch discount --changed src/app.ts",
    load: async () => (await import("./commands/pipeline-plan.ts")).planFile,
  },
  {
    usage: "pipeline run [file]",
    summary: "run the pipeline of this folder on this machine's Docker, without a server, uncommitted changes included",
    options: [
      ["--step <keys...>", "only these steps, and what they depend on"],
      ["--alone", "with --step: without what they depend on"],
      ["--branch <name>", "as a build of this branch (default: the one that is checked out)"],
      ["--pull-request <number>", "as a build of this pull request"],
      ["--tag <name>", "as a build of this tag"],
      ["--changed <paths...>", "as if these files had changed (default: what Git says)"],
      ["--env <name=value...>", "variables of its jobs"],
      ["--secret <names...>", "secrets of its jobs; their values come from the environment"],
      ["--field <key=value...>", "answers to the fields of its gates; with --yes all gates open"],
      ["--artifacts <folder>", "put the artifacts there"],
      ["--capacity <jobs>", "jobs at a time (default: one a core)"],
      ["--image <image>", "image of command steps that name none", "towline/base-debian:stable"],
    ],
    example: "towline pipeline run --step unit --env DEBUG=1",
    load: async () => (await import("./commands/pipeline-run.ts")).runPipeline,
  },
  {
    usage: "pipeline schema",
    summary: "print the JSON Schema of pipeline files, for editors",
    example: "towline pipeline schema > pipeline.schema.json",
    load: async () => (await import("./commands/pipeline-schema.ts")).printSchema,
  },
];
