/** What the module needs from the modules before it, and from outside. */
import type { Attestations } from "#attestations";
import type { Builds } from "#builds";
import type { Contracts } from "#contracts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { RegistryAuth, Runtime } from "#drivers/runtime/contract.ts";
import type { Fleet } from "#fleet";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Releases } from "#releases";
import type { Routing } from "#routing";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Source } from "#source";
import type { Keep } from "./cleaning/clean.ts";
import type { Disk } from "./cleaning/disk.ts";
import type { Limits } from "./core/rollout.ts";

export interface DeploymentsDeps {
  db: Database;
  emit: Emit;
  clock: Clock;
  log: Log;
  jobs: Jobs;
  source: Pick<Source, "isAncestor" | "commitsBetween" | "isPullRequestOpen">;
  fleet: Pick<
    Fleet,
    | "service"
    | "services"
    | "environment"
    | "environments"
    | "previews"
    | "forgetPreview"
    | "secretsFor"
    | "secretVersions"
    | "backingPassword"
  >;
  builds: Pick<Builds, "publishes">;
  attestations: Pick<Attestations, "lacks">;
  contracts: Pick<Contracts, "mayServe" | "orderOf">;
  releases: Pick<Releases, "release" | "releaseById" | "byBuild" | "latest" | "kept">;
  routing: Routing;
  runtime: Runtime;
  /** Why an environment cannot be served as its file says, with what to do. */
  whyUnfit(environment: string): Promise<string | undefined>;
  registry: {
    /** `host:port` under which the engines of a target reach the image registry; called when a deployment begins. */
    address(target: EnvironmentFile["target"]): string;
    /** Credentials to pull a repository's images; absent where none are asked for. */
    auth?(repository: string): Promise<RegistryAuth>;
  };
  /** Contents of backups, in a place of their own: what is in no row is removed. */
  backups: Blobs;
  /** Bytes that stay free on the disk of the backups. */
  diskFloor: number;
  timing?: Partial<Timing>;
  /** What stays of images beside all that is deployed; absent: as the configuration has it by itself. */
  keep?: Keep;
  /** Absent: there is always room. */
  disk?: Disk;
}

/** All in milliseconds. */
export interface Timing {
  limits: Limits;
  /** Between two looks at something that is about to change. */
  pollMs: number;
  /** Between two looks while a release is watched. */
  watchPollMs: number;
  /** Between two comparisons of what runs with what should run. */
  superviseMs: number;
  /** Until a backup or restore that has changed nothing yet is given up. */
  backupMs: number;
  restoreMs: number;
  /** What a restored backing service gets to take connections, and its users to be healthy. */
  settleMs: number;
  /** Between two looks at how many instances a service needs. */
  scaleMs: number;
  /** What a program that a person runs inside of an instance gets in all. */
  programMs: number;
  /** Between two questions whether that person still may. */
  doubtMs: number;
}

const second = 1000;
const minute = 60 * second;

export const defaultTiming: Timing = {
  limits: {
    // Where the environment is new, its network is made too, and the balancer attached to it: on a swarm that takes long.
    plan: 3 * minute,
    prepare: 3 * minute,
    pull: 10 * minute,
    migrate: 10 * minute,
    start: 2 * minute,
    probe: minute,
    swap: minute,
    end: 3 * minute,
    hold: 24 * 60 * minute,
    verify: 30 * second,
    restore: 3 * minute,
    look: 2 * minute,
    back: 10 * minute,
  },
  pollMs: 50,
  watchPollMs: second,
  superviseMs: 5 * second,
  backupMs: 2 * 60 * minute,
  restoreMs: 6 * 60 * minute,
  settleMs: 3 * minute,
  scaleMs: 5 * second,
  programMs: 60 * minute,
  doubtMs: 30 * second,
};
