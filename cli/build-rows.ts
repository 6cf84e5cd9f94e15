/** The commands about builds and their tests. */
import type { CommandRow } from "./command-rows.ts";

export const ofService = ["--service <name>", "of this service, where the repository has several"] as const;
export const buildStep = ["--step <key>", "key of the step"] as const;

export const buildRows: readonly CommandRow[] = [
  {
    usage: "build create <repository>",
    summary: "build the newest commit of a branch",
    options: [
      ofService,
      ["--branch <name>", "instead of the default branch"],
      ["--commit <hash>", "a commit that the branch contains"],
      ["--message <text>", "instead of the commit's"],
      ["--env <name=value...>", "variables of its jobs"],
      ["--meta-data <key=value...>", "values that its jobs find in its meta-data"],
    ],
    example: 'towline build create catalog --branch main --env NIGHTLY=1 --message "by hand"',
    load: async () => (await import("./commands/build.ts")).createBuild,
  },
  {
    usage: "build list [repository]",
    summary: "list builds, newest first",
    options: [ofService, ["--branch <name>", "of this branch only"]],
    example: "towline build list catalog",
    load: async () => (await import("./commands/build.ts")).listBuilds,
  },
  {
    usage: "build show <repository> [number]",
    summary: "show a build, the newest unless a number is given",
    options: [ofService],
    example: "towline build show catalog 12",
    load: async () => (await import("./commands/build.ts")).showBuild,
  },
  {
    usage: "build watch <repository> [number]",
    summary: "follow a build to its end or its gate",
    options: [ofService],
    example: "towline build watch catalog",
    load: async () => (await import("./commands/build.ts")).watchBuild,
  },
  {
    usage: "build logs <repository> [number]",
    summary: "print the log of a build's steps",
    options: [
      ofService,
      buildStep,
      ["--attempt <number>", "of this attempt, not the newest"],
      ["--follow", "wait for more until the step ends"],
      ["--timestamps", "with the time at which each line began"],
      ["--lines <range>", "these lines only: 100-200, 100- or 100"],
      ["--tail <number>", "the last lines only, up to 5000"],
      ["--groups", "the headings of the log and their lines"],
      ["--group <title>", "the groups whose title holds the text"],
      ["--search <text>", "the lines with the text, in any case, and their numbers"],
      ["--regex", "the text of --search is a regular expression"],
    ],
    example: "towline build logs catalog 12 --step unit --search 'not ok'",
    load: async () => (await import("./commands/build-logs.ts")).printLogs,
  },
  {
    usage: "build tests <repository> [number]",
    summary: "show the tests of a build: failed ones first, then flaky ones, then the slowest",
    options: [
      ofService,
      ["--failed", "failed ones only"],
      ["--flaky", "flaky ones only"],
      ["--details", "with all that stands in their failures"],
    ],
    example: "towline build tests catalog 12 --failed --details",
    load: async () => (await import("./commands/tests.ts")).buildTests,
  },
  {
    usage: "tests list <repository>",
    summary: "list the tests of a repository and how they did lately",
    isDefault: true,
    options: [
      ["--failed", "those that failed, most often first"],
      ["--flaky", "those that failed and passed on one commit"],
      ["--slow", "the slowest first"],
      ["--quarantined", "those in quarantine, the next to end first"],
      ["--days <number>", "that ran within so many days", "30"],
    ],
    example: "towline tests catalog --flaky",
    load: async () => (await import("./commands/tests.ts")).listTests,
  },
  {
    usage: "tests show <test>",
    summary: "show a test and its last results",
    example: "towline tests show 17",
    load: async () => (await import("./commands/tests.ts")).showTest,
  },
  {
    usage: "tests quarantine <test>",
    summary: "let a test fail without failing its job, until a date",
    options: [
      ["--owner <name>", "who sees to it"],
      ["--reason <text>", "why"],
      ["--until <date>", "2026-02-01, at most 90 days from now"],
    ],
    example: "towline tests quarantine 17 --owner ada --reason 'race with the clock' --until 2026-02-01",
    load: async () => (await import("./commands/tests.ts")).quarantineTest,
  },
  {
    usage: "tests release <test>",
    summary: "end the quarantine of a test",
    example: "towline tests release 17",
    load: async () => (await import("./commands/tests.ts")).releaseTest,
  },
  {
    usage: "build artifacts <repository> [number]",
    summary: "list the files that a build's jobs kept, or fetch them",
    options: [
      ofService,
      buildStep,
      ["--download <glob>", "fetch those that the glob finds; `*` crosses folders too"],
      ["--to <folder>", "where to (default: the present folder)"],
    ],
    example: "towline build artifacts catalog 12 --download 'reports/*' --to /tmp/reports",
    load: async () => (await import("./commands/build-artifacts.ts")).buildArtifacts,
  },
  {
    usage: "build cancel <repository> [number]",
    summary: "cancel a build",
    options: [ofService],
    example: "towline build cancel catalog 12",
    load: async () => (await import("./commands/build.ts")).cancelBuild,
  },
  {
    usage: "build retry <repository> [number]",
    summary: "try the failed steps of a build again",
    options: [ofService, buildStep],
    example: "towline build retry catalog 12 --step unit",
    load: async () => (await import("./commands/build.ts")).retryBuild,
  },
];
