/** What must run for one service in one environment. Plain JSON, no secrets inside. */

export interface Stack {
  service: string;
  environment: string;
  target: "docker" | "swarm";
  release: { number: number; commit: string };
  /** `repository@sha256:…`. */
  image: string;
  /** Arguments in place of the image's own command. */
  command?: string[];
  /** Sorted by name. */
  variables: Record<string, Variable>;
  /** By path in the container, the secrets that are files there. */
  files?: Record<string, { secret: string }>;
  /** By name, the version of each secret: another one when its value is. */
  secrets?: Record<string, number>;
  /** The fewest, where they are scaled. */
  instances: number;
  scale?: Scale;
  limits: { cpu: number; memory: number };
  /** Port in the container; the same number is its `PORT`. */
  port: number;
  health: { path: string };
  /** Names under which the balancer serves it from outside. */
  hosts: string[];
  rollout: {
    strategy: Strategy;
    /** Time over which new instances come to their full share of the traffic. */
    warmUpMs: number;
    analysis: Analysis;
    /** Run once in the new image before its instances start. */
    migrate?: string[];
    /** Longest time for a new instance to become healthy; as the platform has it where absent. */
    healthyWithinMs?: number;
    /** Longest time for open requests of an old instance to end. */
    drainMs: number;
    /** Time between SIGTERM and SIGKILL. */
    stopGraceMs: number;
    /** Time for which the new release is watched before the deployment succeeds. */
    watchMs: number;
  };
  /** The backing services that this service uses, sorted by name. */
  backing: BackingSpec[];
}

/** Bounds of the number of instances, and what it follows: of several targets the one that wants most. */
export interface Scale {
  min: number;
  max: number;
  /** Percent of its processors that an instance should use. */
  cpu?: number;
  /** A second and instance. */
  requests?: number;
  /** Milliseconds until an answer begins, of the 95th percentile. */
  p95?: number;
  /** For so long fewer must have been enough before one goes. */
  calmMs: number;
}

/** By which steps a release replaces the one before. */
export type Strategy =
  /** The old instances end before the new ones start. */
  | { kind: "replace" }
  /** A few at a time: so many more than wanted may run, so many fewer may serve. */
  | { kind: "rolling"; surge: number; unavailable: number }
  /** All new ones start, and get all the traffic at once. */
  | { kind: "blue-green" }
  /** The traffic moves in shares; at each it is looked at for so long, and then perhaps waits for a person. */
  | { kind: "canary"; steps: { percent: number; ms: number; hold: boolean }[] };

/** What a new release may do worse than the one before. */
export interface Analysis {
  /** Percent of requests that may fail whatever the release before does. */
  errors: number;
  /** How many times as slow as the release before, by the 95th percentile. */
  slower: number;
  /** Milliseconds of the 95th percentile that are too many anyway. */
  p95?: number;
  /** Fewer requests prove nothing. */
  requests: number;
}

/** Where the value of an environment variable comes from. */
export type Variable =
  | { from: "value"; value: string }
  | { from: "secret"; secret: string }
  /** `url` is complete but for `${password}`. */
  | { from: "backing"; backing: string; url: string };

/** A service of the environment itself, shared by all services that use it. */
export interface BackingSpec {
  name: string;
  environment: string;
  image: string;
  port: number;
  /** Network name under which instances of this environment reach it; no other environment has the same. */
  host: string;
  /** Name of the volume, unique within the environment. */
  volume?: { name: string; path: string };
  /** Values may hold `${password}`. */
  variables: Record<string, string>;
}

/** What `renderStack` needs. */
export interface StackRelease {
  number: number;
  commit: string;
  /** Image repository with registry host, without tag. */
  repository: string;
  /** `sha256:…` */
  digest: string;
}
