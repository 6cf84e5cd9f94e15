import type { CommandRow } from "./command-rows.ts";

export const pullRequestRows: readonly CommandRow[] = [
  {
    usage: "pr open <repository> <branch>",
    summary: "open a pull request",
    options: [
      ["--title <text>", "title (default: the branch)"],
      ["--body <text>", "description"],
    ],
    example: "towline pr open catalog discount --title 'Discounts'",
    load: async () => (await import("./commands/pull-request.ts")).openPullRequest,
  },
  {
    usage: "pr list [repository]",
    summary: "list pull requests, of all repositories where none is named",
    options: [
      ["--state <state>", "open, merged or closed"],
      ["--of <role>", "author: yours; reviewer: those on which your word is missing"],
    ],
    example: "towline pr list catalog --state open",
    load: async () => (await import("./commands/pull-request.ts")).listPullRequests,
  },
  {
    usage: "pr show <repository> <number>",
    summary: "show a pull request and what its merge waits for",
    example: "towline pr show catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).showPullRequest,
  },
  {
    usage: "pr approve <repository> <number>",
    summary: "approve the head of a pull request",
    options: [["--comment <text>", "said with it"]],
    example: "towline pr approve catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).approvePullRequest,
  },
  {
    usage: "pr request-changes <repository> <number>",
    summary: "ask for changes: it is not merged until you approve, or withdraw this",
    options: [["--comment <text>", "what is to be changed"]],
    example: "towline pr request-changes catalog 1 --comment 'The price may be negative.'",
    load: async () => (await import("./commands/pull-request.ts")).requestChanges,
  },
  {
    usage: "pr withdraw <repository> <number>",
    summary: "withdraw your request for changes, or as lead or admin somebody else's",
    options: [["--of <user>", "who asks for them (default: you)"]],
    example: "towline pr withdraw catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).withdrawRequest,
  },
  {
    usage: "pr comment <repository> <number> <text>",
    summary: "say something about a pull request, or about a line of it",
    options: [
      ["--file <path>", "file of the line"],
      ["--line <number>", "its number, at the head"],
      ["--side <side>", "old: the number is that of the line as it was", "new"],
    ],
    example: "towline pr comment catalog 1 'Why not an integer?' --file price.js --line 12",
    load: async () => (await import("./commands/pull-request-comment.ts")).addComment,
  },
  {
    usage: "pr comments <repository> <number>",
    summary: "print what was said about a pull request",
    example: "towline pr comments catalog 1",
    load: async () => (await import("./commands/pull-request-comment.ts")).listComments,
  },
  {
    usage: "pr merge <repository> <number>",
    summary: "merge a pull request",
    example: "towline pr merge catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).mergePullRequest,
  },
  {
    usage: "pr close <repository> <number>",
    summary: "close a pull request without merging it",
    example: "towline pr close catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).closePullRequest,
  },
];
