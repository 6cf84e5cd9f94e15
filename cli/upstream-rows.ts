import type { CommandRow } from "./command-rows.ts";

/** Registries whose images are kept here. */
export const upstreamRows: readonly CommandRow[] = [
  {
    usage: "upstream set <name> <address>",
    summary:
      "keep images of another registry, below `cache/<name>/` of this one; with --user, its password comes from a hidden prompt or standard input",
    options: [
      ["--user <name>", "user there"],
      ["--tag-minutes <number>", "how long a tag counts before it is looked up again", "60"],
    ],
    example: "towline upstream set hub https://registry-1.docker.io --user me < password.txt",
    load: async () => (await import("./commands/upstream.ts")).setUpstream,
  },
  {
    usage: "upstream list",
    summary: "list the registries whose images are kept here",
    example: "towline upstream list",
    load: async () => (await import("./commands/upstream.ts")).listUpstreams,
  },
  {
    usage: "upstream remove <name>",
    summary: "ask a registry no more",
    example: "towline upstream remove hub",
    load: async () => (await import("./commands/upstream.ts")).removeUpstream,
  },
];
