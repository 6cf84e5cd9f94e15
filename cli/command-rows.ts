/** One row a command: its words, options and example; what it does is loaded only when it runs. */
export interface CommandRow {
  /** `build list [repository]`: group, name and arguments. */
  usage: string;
  summary: string;
  options?: readonly (readonly [flags: string, summary: string, fallback?: string])[];
  example: string;
  load: () => Promise<(...given: never[]) => Promise<unknown>>;
}

const buildStep = ["--step <key>", "key of the step"] as const;
const release = ["--release <number>", "number of the release"] as const;
const scope = [
  ["--service <name>", "for this service only", "*"],
  ["--environment <name>", "for this environment only, or `builds` for build jobs", "*"],
] as const;

export const commandRows: readonly CommandRow[] = [
  {
    usage: "demo",
    summary: "ship the example fleet from git push to production, on a platform of its own",
    options: [["--exit", "stop at the end and remove all that it made"]],
    example: "towline demo --yes --exit",
    load: async () => (await import("./demo/demo.ts")).runDemo,
  },
  {
    usage: "up",
    summary: "run the server and one agent on this machine",
    example: "towline up",
    load: async () => (await import("./commands/up.ts")).runUp,
  },
  {
    usage: "server",
    summary: "run the server alone",
    example: "TOWLINE_PORT=7300 towline server",
    load: async () => (await import("./commands/server.ts")).runServer,
  },
  {
    usage: "agent",
    summary: "run an agent that leases jobs from a server",
    options: [
      ["--capacity <jobs>", "jobs at a time (default: one a core)"],
      ["--tag <name=value...>", "tags that steps can ask for"],
      ["--image <image>", "image of command steps that name none", "towline/base-debian:stable"],
      ["--home <folder>", "folder for mirrors and workspaces"],
      ["--job-memory <size>", "memory of one job, such as 2Gi (default: three quarters of the machine's)"],
      ["--job-cpus <cores>", "cores of one job, such as 1.5 (default: all)"],
      ["--job-processes <number>", "processes of one job", "4096"],
      ["--cache-size <size>", "what the caches of steps may take on the disk", "10Gi"],
      ["--drain <time>", "what jobs at work get to end by themselves when the agent stops, such as 10m", "10s"],
      ["--with-parent", "end when standard input is closed"],
    ],
    example: "towline agent --url http://towline.example:7300 --token tw_… --tag queue=large",
    load: async () => (await import("./commands/agent.ts")).runAgent,
  },
  {
    usage: "login",
    summary: "check a token and keep it for later commands",
    example: "towline login --url http://127.0.0.1:7300 --token tw_…",
    load: async () => (await import("./commands/login.ts")).login,
  },
  {
    usage: "status",
    summary: "the fleet matrix: what serves where, what waits and why",
    example: "towline status",
    load: async () => (await import("./commands/status.ts")).showStatus,
  },
  {
    usage: "repository create <name>",
    summary: "make an empty repository",
    options: [["--allow-direct-push", "let the default branch take pushes without a pull request"]],
    example: "towline repository create catalog",
    load: async () => (await import("./commands/repository.ts")).createRepository,
  },
  {
    usage: "repository list",
    summary: "list the repositories",
    example: "towline repository list",
    load: async () => (await import("./commands/repository.ts")).listRepositories,
  },
  {
    usage: "build create <repository>",
    summary: "build the newest commit of a branch",
    options: [
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
    options: [["--branch <name>", "of this branch only"]],
    example: "towline build list catalog",
    load: async () => (await import("./commands/build.ts")).listBuilds,
  },
  {
    usage: "build show <repository> [number]",
    summary: "show a build, the newest unless a number is given",
    example: "towline build show catalog 12",
    load: async () => (await import("./commands/build.ts")).showBuild,
  },
  {
    usage: "build watch <repository> [number]",
    summary: "follow a build to its end or its gate",
    example: "towline build watch catalog",
    load: async () => (await import("./commands/build.ts")).watchBuild,
  },
  {
    usage: "build logs <repository> [number]",
    summary: "print the log of a build's steps",
    options: [
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
    usage: "build cancel <repository> [number]",
    summary: "cancel a build",
    example: "towline build cancel catalog 12",
    load: async () => (await import("./commands/build.ts")).cancelBuild,
  },
  {
    usage: "build retry <repository> [number]",
    summary: "try the failed steps of a build again",
    options: [buildStep],
    example: "towline build retry catalog 12 --step unit",
    load: async () => (await import("./commands/build.ts")).retryBuild,
  },
  {
    usage: "schedule create <repository> <name>",
    summary: "build a branch at the times of a cron expression",
    options: [
      ["--cron <expression>", "minute, hour, day of month, month, day of week"],
      ["--zone <zone>", "IANA time zone (default: UTC)"],
      ["--branch <name>", "instead of the default branch"],
      ["--env <name=value...>", "variables of its jobs"],
    ],
    example: 'towline schedule create catalog nightly --cron "30 4 * * 1-5" --zone Europe/Berlin',
    load: async () => (await import("./commands/trigger.ts")).createSchedule,
  },
  {
    usage: "schedule list [repository]",
    summary: "list schedules with their next and last run",
    example: "towline schedule list",
    load: async () => (await import("./commands/trigger.ts")).listSchedules,
  },
  {
    usage: "schedule remove <repository> <name>",
    summary: "remove a schedule",
    example: "towline schedule remove catalog nightly",
    load: async () => (await import("./commands/trigger.ts")).removeSchedule,
  },
  {
    usage: "webhook create <repository>",
    summary: "let signed calls from outside start builds; tells address and secret once",
    example: "towline webhook create catalog",
    load: async () => (await import("./commands/trigger.ts")).createWebhook,
  },
  {
    usage: "webhook list",
    summary: "list the repositories that take signed calls",
    example: "towline webhook list",
    load: async () => (await import("./commands/trigger.ts")).listWebhooks,
  },
  {
    usage: "webhook remove <repository>",
    summary: "take no signed calls any more",
    example: "towline webhook remove catalog",
    load: async () => (await import("./commands/trigger.ts")).removeWebhook,
  },
  {
    usage: "approve <repository> [number]",
    summary: "open the gate that a build stands at",
    options: [buildStep, ["--field <key=value...>", "answers to its fields; a key may come several times"]],
    example: "towline approve catalog --field region=eu",
    load: async () => (await import("./commands/build.ts")).approve,
  },
  {
    usage: "release list <service>",
    summary: "list the releases of a service",
    example: "towline release list catalog",
    load: async () => (await import("./commands/release.ts")).listReleases,
  },
  {
    usage: "release show <service> <number>",
    summary: "show a release: digest, commits, evidence",
    example: "towline release show catalog 3",
    load: async () => (await import("./commands/release.ts")).showRelease,
  },
  {
    usage: "deploy <service> <environment>",
    summary: "deploy a release, the newest unless a number is given, after showing the plan",
    options: [release],
    example: "towline deploy catalog production --release 3",
    load: async () => (await import("./commands/deploy.ts")).deploy,
  },
  {
    usage: "rollback <service> <environment>",
    summary: "go back to the release before, or to the one given",
    options: [release],
    example: "towline rollback catalog production",
    load: async () => (await import("./commands/deploy.ts")).rollBack,
  },
  {
    usage: "logs <service> <environment>",
    summary: "print the last lines of the instances that serve",
    options: [["--lines <number>", "lines of each instance", "100"]],
    example: "towline logs catalog production",
    load: async () => (await import("./commands/logs.ts")).instanceLogs,
  },
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
    usage: "pr list <repository>",
    summary: "list pull requests",
    options: [["--state <state>", "open, merged or closed"]],
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
    example: "towline pr approve catalog 1",
    load: async () => (await import("./commands/pull-request.ts")).approvePullRequest,
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
  {
    usage: "secret set <name>",
    summary: "set a secret; the value comes from a hidden prompt or standard input",
    options: scope,
    example: "towline secret set PAYMENT_KEY --service orders --environment production < key.txt",
    load: async () => (await import("./commands/secret.ts")).setSecret,
  },
  {
    usage: "secret list",
    summary: "list the names of the secrets",
    example: "towline secret list",
    load: async () => (await import("./commands/secret.ts")).listSecrets,
  },
  {
    usage: "secret delete <name>",
    summary: "delete a secret",
    options: scope,
    example: "towline secret delete PAYMENT_KEY --service orders",
    load: async () => (await import("./commands/secret.ts")).deleteSecret,
  },
  {
    usage: "doctor",
    summary: "examine this machine and the connection to the server",
    example: "towline doctor",
    load: async () => (await import("./commands/doctor.ts")).examine,
  },
  {
    usage: "base-images [names...]",
    summary: "pull or make the base images of examples, tests and balancer",
    options: [["--tag-as", "tag them with the names of the official images too"]],
    example: "towline base-images node python",
    load: async () => (await import("./commands/base-images.ts")).prepareBaseImages,
  },
  {
    usage: "test [words...]",
    summary: "check and test Towline itself: check, unit, module, driver, e2e, or a part of a path",
    example: "towline test unit pipeline/",
    load: async () => (await import("./commands/test.ts")).test,
  },
  {
    usage: "bench <name>",
    summary: "run a benchmark: pipeline, rollout, registry or rest",
    example: "towline bench rollout",
    load: async () => (await import("./commands/bench.ts")).bench,
  },
  {
    usage: "uninstall",
    summary: "remove all that the installation in TOWLINE_HOME made, data included",
    example: "towline uninstall",
    load: async () => (await import("./commands/uninstall.ts")).uninstall,
  },
];
