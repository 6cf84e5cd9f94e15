import { accessRows } from "./access-rows.ts";
import { backingRows } from "./backing-rows.ts";
import { buildRows, buildStep, ofService } from "./build-rows.ts";
import { ingressRows } from "./ingress-rows.ts";
import { pipelineRows } from "./pipeline-rows.ts";
import { pullRequestRows } from "./pull-request-rows.ts";
import { secretRows } from "./secret-rows.ts";
import { upstreamRows } from "./upstream-rows.ts";

/** One row a command: its words, options and example; what it does is loaded only when it runs. */
export interface CommandRow {
  /** `build list [repository]`: group, name and arguments. */
  usage: string;
  summary: string;
  options?: readonly (readonly [flags: string, summary: string, fallback?: string])[];
  example: string;
  /** Of a group: what its name alone does. */
  isDefault?: boolean;
  load: () => Promise<(...given: never[]) => Promise<unknown>>;
}

const release = ["--release <number>", "number of the release"] as const;

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
      ["--metrics-port <port>", "tell health and metrics (Prometheus) on this port"],
      ["--metrics-host <host>", "address for --metrics-port", "127.0.0.1"],
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
  ...buildRows,
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
    options: [buildStep, ofService, ["--field <key=value...>", "answers to its fields; a key may come several times"]],
    example: "towline approve catalog --field region=eu",
    load: async () => (await import("./commands/build.ts")).approve,
  },
  ...pipelineRows,
  {
    usage: "release list <service>",
    summary: "list the releases of a service",
    example: "towline release list catalog",
    load: async () => (await import("./commands/release.ts")).listReleases,
  },
  {
    usage: "release show <service> <number>",
    summary: "show a release: digest, commits, evidence",
    options: [
      ["--packages", "instead: the layers and packages of its image, and what changed since the release before"],
    ],
    example: "towline release show catalog 3",
    load: async () => (await import("./commands/release.ts")).showRelease,
  },
  {
    usage: "contract list [service]",
    summary: "who talks to whom by contract, and whether it is kept",
    example: "towline contract list catalog",
    load: async () => (await import("./commands/contract.ts")).listContracts,
  },
  {
    usage: "contract diff <consumer> <provider>",
    summary: "what became another between two versions of a contract",
    options: [
      ["--from <version>", "version of the consumer; the one before that says something else"],
      ["--to <version>", "version of the consumer; the newest"],
    ],
    example: "towline contract diff orders catalog",
    load: async () => (await import("./commands/contract.ts")).diffContract,
  },
  {
    usage: "contract uses <provider> <field>",
    summary: "which consumers rely on a field of a provider: what breaks if it changes",
    example: "towline contract uses catalog price.gross",
    load: async () => (await import("./commands/contract.ts")).listFieldUses,
  },
  {
    usage: "release verify <service> <number>",
    summary:
      "check signature, bill of materials and provenance of a release's image; ends with 1 when one is missing or wrong",
    example: "towline release verify catalog 3",
    load: async () => (await import("./commands/attestation.ts")).verifyRelease,
  },
  {
    usage: "release attest <service> <number>",
    summary: "make signature, bill of materials and provenance of a release again",
    example: "towline release attest catalog 3",
    load: async () => (await import("./commands/attestation.ts")).attestRelease,
  },
  {
    usage: "release key [id]",
    summary: "print the public key of what is signed, for `cosign verify --key`; an older one by its id",
    options: [["--all", "list the key that signs and those before it"]],
    example: "towline release key > towline.pub",
    load: async () => (await import("./commands/attestation.ts")).showKey,
  },
  {
    usage: "release rotate-key",
    summary: "make a new key that signs from now on; what older keys signed counts on; admins only",
    example: "towline release rotate-key",
    load: async () => (await import("./commands/attestation.ts")).rotateKey,
  },
  {
    usage: "deploy <service> <environment>",
    summary: "deploy a release, the newest unless a number is given, after showing the plan",
    options: [
      release,
      ["--plan", "only show the plan"],
      ["--override-freeze <name>", "let it pass this freeze of the environment; leads only"],
      ["--reason <text>", "why the freeze is overridden"],
    ],
    example: "towline deploy catalog production --release 3",
    load: async () => (await import("./commands/deploy.ts")).deploy,
  },
  {
    usage: "deploy together <environment> <releases...>",
    summary: "deploy several services one after the other, in the order in which no moment breaks a contract",
    options: [["--plan", "only show the order, or why there is none"]],
    example: "towline deploy together production catalog#3 orders",
    load: async () => (await import("./commands/deploy.ts")).deployTogether,
  },
  {
    usage: "deploy pause <service> <environment>",
    summary: "hold back the traffic of the rollout under way, where it is",
    example: "towline deploy pause catalog production",
    load: async () => (await import("./commands/steer.ts")).pauseRollout,
  },
  {
    usage: "deploy promote <service> <environment>",
    summary: "let a rollout that holds or is paused go on to its next share of the traffic",
    example: "towline deploy promote catalog production",
    load: async () => (await import("./commands/steer.ts")).promoteRollout,
  },
  {
    usage: "deploy abort <service> <environment>",
    summary: "take the rollout under way back: what served before serves on",
    example: "towline deploy abort catalog production",
    load: async () => (await import("./commands/steer.ts")).abortRollout,
  },
  {
    usage: "route maintenance <on|off> <service> <environment>",
    summary: "answer all requests to a service with a page of maintenance, for a while",
    options: [
      ["--for <time>", "until it opens by itself, such as 30m or 2h", "1h"],
      ["--reason <text>", "for the record"],
    ],
    example: "towline route maintenance on catalog production --for 20m --reason 'moving the database'",
    load: async () => (await import("./commands/route.ts")).setMaintenance,
  },
  {
    usage: "route pause <on|off> <service> <environment>",
    summary: "hold all requests to a service, each for 30 s at most, and then let them go on",
    options: [
      ["--for <time>", "until they go on by themselves, at most 5m", "30s"],
      ["--reason <text>", "for the record"],
    ],
    example: "towline route pause on catalog production",
    load: async () => (await import("./commands/route.ts")).setPause,
  },
  {
    usage: "rollback <service> <environment>",
    summary: "go back to the release before, or to the one given",
    options: [release],
    example: "towline rollback catalog production",
    load: async () => (await import("./commands/deploy.ts")).rollBack,
  },
  {
    usage: "sign-off <environment> <releases...>",
    summary: "give your word on releases for an environment: `catalog#3`, or `catalog` for the newest",
    options: [
      ["--name <sign-off>", "which of the environment's sign-offs, where you may give several"],
      ["--note <text>", "what you looked at"],
      ["--withdraw", "take your word back"],
    ],
    example: "towline sign-off production catalog#3 orders#7 --name acceptance",
    load: async () => (await import("./commands/sign-off.ts")).signOff,
  },
  {
    usage: "lock <place>",
    summary: "hold all deployments to a service, an environment, or one in the other: `catalog/production`",
    options: [
      ["--reason <text>", "why; whoever waits reads it"],
      ["--for <time>", "until it ends by itself, such as 30m or 2h", "1h"],
    ],
    example: "towline lock production --reason 'moving the database' --for 2h",
    load: async () => (await import("./commands/lock.ts")).lockPlace,
  },
  {
    usage: "unlock <place>",
    summary: "take a lock away; its owner or an admin may",
    options: [["--fence <number>", "only if it still is this lock"]],
    example: "towline unlock production",
    load: async () => (await import("./commands/lock.ts")).unlockPlace,
  },
  {
    usage: "locks",
    summary: "list the locks that hold now",
    example: "towline locks",
    load: async () => (await import("./commands/lock.ts")).listLocks,
  },
  {
    usage: "logs <service> <environment>",
    summary: "print the last lines of the instances that serve",
    options: [["--lines <number>", "lines of each instance", "100"]],
    example: "towline logs catalog production",
    load: async () => (await import("./commands/logs.ts")).instanceLogs,
  },
  {
    usage: "exec <service> <environment> [command...]",
    summary: "run a program (a shell unless one is named) inside of an instance, where the environment allows it",
    options: [
      ["--reason <text>", "why; it is kept in the audit log"],
      ["--instance <name>", "this instance instead of one that serves"],
      ["--no-terminal", "without a terminal, also where this is one"],
    ],
    example: 'towline exec orders production --reason "looking at a leak" -- ls -l /tmp',
    load: async () => (await import("./commands/exec.ts")).exec,
  },
  {
    usage: "environment remove <name>",
    summary: "end all services of an environment whose file is gone; its backing services keep their data",
    example: "towline environment remove staging",
    load: async () => (await import("./commands/environment.ts")).removeEnvironment,
  },
  {
    usage: "service remove <service>",
    summary: "end a service that no repository describes any more, in all environments",
    example: "towline service remove cart",
    load: async () => (await import("./commands/service.ts")).removeService,
  },
  ...pullRequestRows,
  ...accessRows,
  ...ingressRows,
  ...backingRows,
  ...secretRows,
  ...upstreamRows,
  {
    usage: "clean",
    summary: "remove the images on the host and in the registry that no release, deployment or rollback needs",
    options: [["--plan", "only show what would go, and why the rest stays"]],
    example: "towline clean --plan",
    load: async () => (await import("./commands/clean.ts")).clean,
  },
  {
    usage: "doctor",
    summary: "examine this machine and the connection to the server",
    options: [["--scrub", "read every blob of the image registry too, and say which are damaged; admins only"]],
    example: "towline doctor",
    load: async () => (await import("./commands/doctor.ts")).examine,
  },
  {
    usage: "backup <target>",
    summary:
      "back up the whole installation of TOWLINE_HOME, while it works, into a folder or a file `….tar` or `….age`",
    options: [
      ["--recipient <key>", "encrypt the file to this public key of age"],
      ["--with-logs", "the logs of jobs too"],
      ["--verify", "read all of it again once it is written"],
      ["--identity <file>", "private key, to verify an encrypted one"],
    ],
    example: "towline backup /mnt/backup/monday.tar --verify",
    load: async () => (await import("./commands/backup.ts")).backUp,
  },
  {
    usage: "restore <source>",
    summary: "restore a whole installation into the empty folder of TOWLINE_HOME",
    options: [["--identity <file>", "private key of an encrypted backup"]],
    example: "towline restore /mnt/backup/monday.tar",
    load: async () => (await import("./commands/backup.ts")).restore,
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
    options: [["--screens <folder>", "instead take a picture of each screen of the web interface, into this folder"]],
    example: "towline test unit pipeline/",
    load: async () => (await import("./commands/test.ts")).test,
  },
  {
    usage: "bench <name>",
    summary:
      "run a benchmark: balancer, cluster, contracts, deploy, engine, logs, pipeline, registry, rest, rollout, scaling, step or web",
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
