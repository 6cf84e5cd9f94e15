/**
 * The seam to whatever runs containers, on one host or on the machines of a cluster. An implementation belongs to one installation: it sees, names and
 * removes only what carries its installation's label, so that several can share an engine.
 *
 * Every call takes a deadline and a signal; when either ends it, the call rejects with `deadline` or `aborted` and the
 * world is as if the call had stopped half-way: repeat it, all calls may be repeated. Every failure is a `RuntimeError`.
 */

import type { Writable } from "node:stream";

export const runtimeFailures = [
  /** The image is neither here nor where it was to be pulled from. */
  "image-missing",
  /** The image is not here, and the registry does not answer or refuses the credentials. */
  "registry-unreachable",
  /** The engine refused to start it (no such command, bad limits), or it had exited when the call looked; `tail` has its output. */
  "start-failed",
  /** An instance or job with this name runs already, made from another specification. */
  "name-taken",
  /** The engine does not answer. */
  "docker-unreachable",
  "disk-full",
  /** There is no such instance or network, or it is still in use. */
  "not-found",
  "in-use",
  /** The engine is not of the kind that is needed; the message says what to do. */
  "unfit",
  "deadline",
  "aborted",
  /** Anything else the engine said. */
  "engine",
] as const;
export type RuntimeFailure = (typeof runtimeFailures)[number];

export class RuntimeError extends Error {
  readonly code: RuntimeFailure;
  /** Last lines of output, for `start-failed` and a job's `deadline`. */
  readonly tail: readonly string[];
  constructor(code: RuntimeFailure, message: string, more: { tail?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = "RuntimeError";
    this.code = code;
    this.tail = more.tail ?? [];
  }
}

export interface CallOptions {
  /** Milliseconds until the call gives up; each method says its default. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface Network {
  /** The engine's name for it; the balancer wants this one. */
  name: string;
  environment: string;
  /** CIDR, IPv4. */
  subnet: string;
  /** It reaches every machine of a cluster. */
  spansMachines?: boolean;
}

export interface RegistryAuth {
  username: string;
  password: string;
}

export interface PullProgress {
  /** Layers whose bytes have all arrived, of those known so far. */
  layersDone: number;
  layers: number;
  /** Bytes arrived, of those known so far. */
  bytes: number;
  bytesTotal: number;
}

export interface HeldImage {
  image: string;
  /** On the disk; layers that other images have too are counted with each. */
  bytes: number;
}

export interface FileToPlace {
  /** Absolute path inside the container. */
  path: string;
  content: string | Uint8Array;
  /** Permission bits, 0o400 where absent; owner is root, or `uid`, or the user as whom the image runs. */
  mode?: number;
  uid?: number | "image";
}

/** What both an instance and a job are made of. */
export interface ContainerSpec {
  /** Unique within the installation, `[a-z0-9][a-z0-9-]*`, at most 100 characters; the engine's name gets a prefix. */
  name: string;
  /** An environment for which `ensureNetwork` was called. */
  environment: string;
  /** `registry/name@sha256:…`, or a tag that is already on this host. */
  image: string;
  /** Replaces the image's command; arguments, never a shell line. */
  command?: readonly string[];
  env: Readonly<Record<string, string>>;
  files?: readonly FileToPlace[];
  /** Keys `[a-z][a-z0-9-]*`; stored under a prefix of the installation. */
  labels: Readonly<Record<string, string>>;
  /** Processors, fractions allowed. */
  cpu: number;
  /** Bytes; swap is not added on top. */
  memory: number;
}

export interface InstanceSpec extends ContainerSpec {
  /**
   * `service`: code of the fleet, runs with few capabilities. `backing`: an image like postgres that wants the engine's
   * default ones. Neither is ever privileged, gains privileges, or sees the host's files.
   */
  kind: "service" | "backing";
  /** Further names on the environment's network. */
  aliases?: readonly string[];
  /** Named volumes, made when missing, kept until `removeVolume` or `removeEnvironment` deletes them. */
  volumes?: readonly { name: string; path: string }[];
  /**
   * The grace that `stop` will be asked for. A cluster tells its machines at the start, and keeps to this one whatever
   * `stop` says; default 10 s. Not part of what tells two specifications apart.
   */
  graceMs?: number;
}

/** `restarting`: it exited and the engine is about to start it again. */
export const instanceStates = ["created", "running", "restarting", "exited"] as const;

export interface Instance {
  /** The engine's id. */
  id: string;
  /** As given in the specification. */
  name: string;
  environment: string;
  kind: "service" | "backing" | "job";
  /** As given in the specification. */
  labels: Readonly<Record<string, string>>;
  /** As given in the specification. */
  image: string;
  /** Content id of the image's configuration, `sha256:…`: equal for equal images whatever their name. */
  imageId: string;
  state: (typeof instanceStates)[number];
  /**
   * IPv4 on the environment's network. On one host kept over restarts of the instance and of the engine; in a cluster
   * every start may give another, so who needs it looks again. Absent unless running.
   */
  address?: string;
  /** Of the last exit; absent while it has never exited since its last start. */
  exitCode?: number;
  oomKilled: boolean;
  /** How often the engine started it again after it exited by itself; a cluster remembers the last five. */
  restarts: number;
  /** Absent while it has never been started. */
  startedAt?: Date;
  /** The machine with which it was lost; the cluster is about to start it on another one. */
  lostWith?: string;
  /** The machine on which it is and which is to be left: it takes nothing new. */
  leaving?: string;
}

export interface JobResult {
  id: string;
  exitCode: number;
  oomKilled: boolean;
  /** Last lines of output and errors, in order, at most 200. */
  tail: readonly string[];
}

/** What one instance has used; take differences of two readings of one `since`. */
export interface Usage {
  id: string;
  /** Time on processors since `since`, all processors together, in milliseconds. */
  cpuMs: number;
  /** When it was read, in milliseconds of the machine's own clock; compare with other readings of this instance only. */
  readAt: number;
  /** Start from which the engine counts; another one after each restart. */
  since: string;
}

export interface TerminalSize {
  columns: number;
  rows: number;
}

/** The terminal on which a program runs: what it writes as errors is part of its output, and its input has no end. */
export interface Terminal extends TerminalSize {
  /** Called once; whoever sits there tells each new size. */
  onResize?: (tell: (size: TerminalSize) => void) => void;
}

/** A program in an instance that runs. */
export interface Program {
  /** Arguments, never a shell line. */
  command: readonly string[];
  /** By which `endProgram` finds it, `[a-z0-9-]`, another one for each program; absent: nobody else will ask. */
  name?: string;
  /** Absent: it has none. */
  terminal?: Terminal;
  /** Writes its input, which ends when the promise settles; a chunk is the sink's until it has called back. The sink closes when the program ends. Absent: it has none. */
  feed?: (sink: Writable) => Promise<void>;
  /** Takes its output, no faster than it reads; a throw ends the program's output and is what `exec` throws. Absent: it is dropped. */
  take?: (output: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Takes what it writes as errors, piece by piece, and no faster. */
  takeErrors?: (bytes: Uint8Array) => Promise<void>;
}

export interface ProgramResult {
  exitCode: number;
  /** The last lines of what it wrote as errors, at most 50. */
  errors: readonly string[];
}

export interface Runtime {
  /**
   * Makes the environment's network if it is not there. Instances of one environment reach each other; those of
   * different environments do not. Default deadline 30 s.
   */
  ensureNetwork(environment: string, options?: CallOptions): Promise<Network>;

  /** Environments that have a network, in no order. Default deadline 20 s. */
  environments(options?: CallOptions): Promise<string[]>;

  /**
   * Removes the environment's network, and its volumes with all their data when `volumes` is `"delete"`. No instance may
   * be left, nor anything that others attached to the network (`in-use`); our balancer may still be attached and is detached. Nothing there is
   * no error. Default deadline 30 s.
   */
  removeEnvironment(environment: string, options: CallOptions & { volumes: "keep" | "delete" }): Promise<void>;

  /**
   * Makes sure that the image is on this host, and for an environment on a cluster on every machine that takes instances; holds it there
   * until `removeImage`: it stays also where somebody removes all images that no container uses. One that is here already asks no
   * registry, so it works with the registry down. Fails with `image-missing`, `registry-unreachable`, `disk-full`. Two pulls of one image at a time share the
   * work. Default deadline 10 min.
   */
  pull(
    image: string,
    options?: CallOptions & {
      auth?: RegistryAuth;
      onProgress?: (progress: PullProgress) => void;
      /** Whose instances will need it; absent: only this host. */
      environment?: string;
    },
  ): Promise<void>;

  /**
   * Lets go of the image and removes it from this host (other machines of a cluster keep it until they clean up), with all names that it has in the same repository; under names of other repositories it
   * stays. `in-use` while a container is made from it. One that is not here is no error. Default deadline 60 s.
   */
  removeImage(image: string, options?: CallOptions): Promise<void>;

  /** Images that are held, by the name with which `pull` was called. Default deadline 20 s. */
  heldImages(options?: CallOptions): Promise<HeldImage[]>;

  /**
   * Starts an instance that the engine keeps running (also after its own restart) until `stop`. By the same name and
   * specification: returns the one that is there, started if it was not. By the same name and another specification:
   * `name-taken`. The image must be here (`image-missing`). `start-failed` when it could not start or has exited already;
   * it is then left for inspection. An exit after that shows in `inspect`; see `whyNotServing`. Default deadline 60 s.
   */
  start(spec: InstanceSpec, options?: CallOptions): Promise<Instance>;

  /**
   * Runs a command to its end, once by name: when a job of this name is there, running or done, its result is awaited and
   * returned and nothing runs a second time, so a caller that crashed asks again. Deadline and abort kill it (`deadline`
   * has the tail). The finished job stays until `remove`. Default deadline 10 min.
   */
  runOnce(spec: ContainerSpec, options?: CallOptions): Promise<JobResult>;

  /** One instance or job by id, or nothing. Default deadline 10 s. */
  inspect(id: string, options?: CallOptions): Promise<Instance | undefined>;

  /**
   * All instances and jobs, in any state, that carry all of these labels, oldest first; `{}` gives every one of the
   * installation. Default deadline 20 s.
   */
  list(labels: Readonly<Record<string, string>>, options?: CallOptions): Promise<Instance[]>;

  /**
   * What these instances have used. Those that do not run, end while they are looked at, or run on another machine of a cluster are missing. Default deadline 10 s.
   */
  usage(ids: readonly string[], options?: CallOptions): Promise<Usage[]>;

  /**
   * Asks the instance to end (SIGTERM, or the signal its image names), and kills it when `graceMs` have passed, rounded up
   * to seconds. Returns when it has ended; it is not started again. One that is stopped or gone is no error. Default
   * deadline: the grace and 30 s.
   */
  stop(id: string, options: CallOptions & { graceMs: number }): Promise<void>;

  /** Removes an instance or job, running or not. Named volumes stay. One that is gone is no error. Default deadline 30 s. */
  remove(id: string, options?: CallOptions): Promise<void>;

  /**
   * Runs a program inside of an instance, beside what runs there, and waits for its end; memory stays flat whatever goes in or
   * out. In a cluster only on this machine, where volumes are; elsewhere `engine`. `start-failed` when the image has no such program, `not-found` when the instance is gone or does not run. Deadline and
   * abort, and a throw of who takes its output, cut its input and output and end it as `endProgram` does. Default deadline 10 min.
   */
  exec(id: string, program: Program, options?: CallOptions): Promise<ProgramResult>;

  /**
   * Kills the program of this name in an instance, with all that it started: who began it may be gone. An engine has no call for it, so it takes
   * a shell (`sh`) in the image; where there is none, only programs that read or write end. Nothing there is no error. Default deadline 30 s.
   */
  endProgram(id: string, name: string, options?: CallOptions): Promise<void>;

  /** Removes one volume of an environment with its data; `in-use` while an instance has it. One that is gone is no error. Default deadline 30 s. */
  removeVolume(environment: string, volume: string, options?: CallOptions): Promise<void>;

  /** Its last lines (at most 10 000), output and errors in order, each cut at 16 KiB. `not-found` when it is gone. Default deadline 10 s. */
  logs(id: string, options: CallOptions & { lines: number }): Promise<string[]>;
}

/** Why an instance that was started does not run steadily, as half a sentence; nothing when it does. */
export function whyNotServing(instance: Instance): string | undefined {
  const code = instance.exitCode === undefined ? "" : ` with exit code ${exitWords(instance.exitCode)}`;
  if (instance.lostWith !== undefined) return `it was lost with the machine ${instance.lostWith}`;
  if (instance.oomKilled) return "it ran out of memory";
  if (instance.state === "exited") return `it exited${code}`;
  if (instance.state === "created") return "it was never started";
  if (instance.restarts > 0 || instance.state === "restarting") return `it exited${code} and was started again`;
  return undefined;
}

const killed = 137;

/**
 * An exit code as people are told it. Of SIGKILL with what it may stand for: on a busy machine Docker 20.10 hears of one end in fifteen
 * before it hears that memory was the reason, and then never tells.
 */
export function exitWords(code: number): string {
  return code === killed ? `${code} (SIGKILL, perhaps for want of memory)` : String(code);
}
