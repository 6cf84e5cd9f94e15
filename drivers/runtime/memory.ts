/** A runtime without containers, for tests of what stands on the seam. What a container would do is told by `behave`. */
import { createHash, randomUUID } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CallOptions,
  type ContainerSpec,
  type Instance,
  type InstanceSpec,
  type JobResult,
  type Network,
  type Program,
  type ProgramResult,
  type Runtime,
  RuntimeError,
  type TerminalSize,
  type Usage,
} from "./contract.ts";

/** What a container does once it is started. */
export interface Behaviour {
  /** Lines it prints at its start. */
  output?: readonly string[];
  /** It ends with this code; absent: it runs until it is stopped. */
  exitCode?: number;
  /** When it ends; absent: at once. */
  afterMs?: number;
  oomKilled?: boolean;
  /** It does not end on SIGTERM. */
  ignoresStop?: boolean;
  /** Processors that it keeps busy while it runs; absent: none. */
  busy?: number;
}

interface Played {
  exitCode: number;
  output?: string;
  errors?: string[];
}

interface Given {
  input: Buffer;
  /** The first one of its instance, which it may change. */
  volume: { content: string };
  spec: ContainerSpec;
  terminal: TerminalSize | undefined;
  /** Commands that run in its instance now, its own among them. */
  running: readonly (readonly string[])[];
}

/** What a program does. Nothing: the image has no such program. */
export type PlayProgram = (command: readonly string[], given: Given) => Played | undefined | Promise<Played>;

export interface MemoryRuntimeOptions {
  /** Images on the host at the start. */
  images: readonly string[];
  /** Images that can be pulled. */
  registry?: readonly string[];
  /** Absent: everything runs until it is stopped. */
  behave?: (spec: ContainerSpec) => Behaviour;
  /** Absent: no image has any program. */
  play?: PlayProgram;
}

export interface MemoryRuntime extends Runtime {
  /** From now on the instance keeps so many processors busy. */
  busy(id: string, processors: number): void;
  /** Its machine is to be left. */
  leave(id: string, machine: string): void;
  /** It is lost with its machine, and is to start on another one. */
  lose(id: string, machine: string): void;
  /** Ends a running instance as a crash would; the engine starts it again. */
  crash(id: string, exitCode: number): void;
  /** Content of volumes, as `environment/name`; what has none yet is empty. */
  volumes: Map<string, { content: string }>;
  /** While set, every call fails with `docker-unreachable`. */
  engineDown: boolean;
  /** While set, a pull of what is not here fails with `registry-unreachable`. */
  registryDown: boolean;
}

interface Kept {
  instance: Instance;
  /** It keeps this one. */
  address: string;
  spec: ContainerSpec;
  behaviour: Behaviour;
  output: string[];
  /** Programs that run beside it, by name. */
  programs: Map<string, { command: readonly string[]; end: AbortController }>;
  /** Time on processors until a moment, both in milliseconds. */
  used: { cpuMs: number; at: number };
  /** Set for jobs: settles when it ended. */
  ended?: Promise<void>;
}

interface World {
  images: Set<string>;
  held: Set<string>;
  registry: ReadonlySet<string>;
  networks: Map<string, Network>;
  kept: Map<string, Kept>;
  volumes: Map<string, { content: string }>;
  play: PlayProgram | undefined;
  addresses: number;
  behave(spec: ContainerSpec): Behaviour;
}

export function createMemoryRuntime(options: MemoryRuntimeOptions): MemoryRuntime {
  const world: World = {
    images: new Set(options.images),
    held: new Set(),
    registry: new Set(options.registry),
    networks: new Map(),
    kept: new Map(),
    volumes: new Map(),
    play: options.play,
    addresses: 1,
    behave: options.behave ?? (() => ({})),
  };
  const controls = {
    engineDown: false,
    registryDown: false,
    volumes: world.volumes,
    leave: (id: string, machine: string) => void Object.assign(mustFind(world, id).instance, { leaving: machine }),
    lose: (id: string, machine: string) =>
      void Object.assign(mustFind(world, id).instance, { state: "restarting", lostWith: machine }),
    crash: (id: string, exitCode: number) => crash(mustFind(world, id), exitCode),
    busy(id: string, processors: number) {
      const kept = mustFind(world, id);
      Object.assign(kept, { used: usedBy(kept), behaviour: { ...kept.behaviour, busy: processors } });
    },
  };
  return Object.assign(controls, methods(world, controls));
}

function methods(world: World, controls: { engineDown: boolean; registryDown: boolean }): Runtime {
  const check = (call: CallOptions = {}) => {
    if (controls.engineDown) throw new RuntimeError("docker-unreachable", "the engine does not answer");
    if (call.signal?.aborted) throw new RuntimeError("aborted", "the call was aborted");
  };
  const checked =
    <A, R>(work: (subject: A, call: CallOptions) => R | Promise<R>) =>
    async (subject: A, call: CallOptions = {}): Promise<R> => {
      check(call);
      return work(subject, call);
    };
  return {
    ensureNetwork: checked((environment: string) => ensureNetwork(world, environment)),
    environments: (call) => checked(() => [...world.networks.keys()])(undefined, call),
    removeEnvironment: checked((environment: string) => removeEnvironment(world, environment)),
    pull: checked((image: string) => pull(world, image, controls)),
    removeImage: checked((image: string) => removeImage(world, image)),
    heldImages: (call) =>
      checked(() => [...world.held].map((image) => ({ image, bytes: imageBytes })))(undefined, call),
    start: checked((spec: InstanceSpec) => start(world, spec)),
    runOnce: checked((spec: ContainerSpec, call) => runOnce(world, spec, call)),
    inspect: checked((id: string) => {
      const kept = world.kept.get(id);
      return kept && { ...kept.instance };
    }),
    list: checked((labels: Readonly<Record<string, string>>) =>
      [...world.kept.values()].filter(({ spec }) => carries(spec, labels)).map(({ instance }) => ({ ...instance })),
    ),
    usage: checked((ids: readonly string[]) => usage(world, ids)),
    stop: checked((id: string) => {
      const kept = world.kept.get(id);
      if (kept) end(kept.instance, kept.behaviour.ignoresStop ? 137 : 143);
    }),
    remove: checked((id: string) => void world.kept.delete(id)),
    async exec(id, program, call) {
      check(call);
      return exec(world, { id, program }, call);
    },
    async endProgram(id, name, call) {
      check(call);
      world.kept.get(id)?.programs.get(name)?.end.abort();
    },
    async removeVolume(environment, volume, call) {
      check(call);
      removeVolume(world, `${environment}/${volume}`);
    },
    async logs(id, call) {
      check(call);
      return mustFind(world, id).output.slice(-call.lines);
    },
  };
}

function removeEnvironment(world: World, environment: string): void {
  const used = [...world.kept.values()].some(({ instance }) => instance.environment === environment);
  if (used) throw new RuntimeError("in-use", `instances are left in ${environment}`);
  world.networks.delete(environment);
}

async function exec(
  world: World,
  { id, program }: { id: string; program: Program },
  call: CallOptions = {},
): Promise<ProgramResult> {
  const kept = world.kept.get(id);
  if (kept?.instance.state !== "running") throw new RuntimeError("not-found", `there is no instance ${id}`);
  const name = program.name ?? randomUUID();
  const end = new AbortController();
  kept.programs.set(name, { command: program.command, end });
  const signal = call.signal ? AbortSignal.any([call.signal, end.signal]) : end.signal;
  try {
    return await unlessAborted(played({ world, kept }, program), signal);
  } finally {
    kept.programs.delete(name);
  }
}

async function played({ world, kept }: { world: World; kept: Kept }, program: Program): Promise<ProgramResult> {
  const { command, terminal, take, takeErrors } = program;
  const parts: Buffer[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  await program.feed?.(sink);
  const volume = world.volumes.get(volumesOf(kept)[0] ?? "") ?? { content: "" };
  const running = [...kept.programs.values()].map((each) => each.command);
  const input = Buffer.concat(parts);
  const result = await world.play?.(command, { input, volume, spec: kept.spec, terminal, running });
  if (!result) throw new RuntimeError("start-failed", `${command[0]} could not run: there is no such program`);
  const { exitCode, output = "", errors = [] } = result;
  await take?.(Readable.from([Buffer.from(output)]));
  for (const line of errors) await takeErrors?.(Buffer.from(`${line}\n`));
  return { exitCode, errors };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new RuntimeError("aborted", "the call was aborted"));
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener("abort", abort));
}

function volumesOf({ spec }: Kept): string[] {
  const { environment, volumes = [] } = spec as InstanceSpec;
  return volumes.map(({ name }) => `${environment}/${name}`);
}

function removeVolume(world: World, key: string): void {
  if ([...world.kept.values()].some((kept) => volumesOf(kept).includes(key)))
    throw new RuntimeError("in-use", `an instance has the volume ${key}`);
  world.volumes.delete(key);
}

const imageBytes = 100 * 1024 * 1024;

function pull(world: World, image: string, { registryDown }: { registryDown: boolean }): void {
  fetchImage(world, image, registryDown);
  world.held.add(image);
}

function fetchImage(world: World, image: string, registryDown: boolean): void {
  if (world.images.has(image)) return;
  if (registryDown) throw new RuntimeError("registry-unreachable", `the registry of ${image} does not answer`);
  if (!world.registry.has(image)) throw new RuntimeError("image-missing", `there is no image ${image}`);
  world.images.add(image);
}

function ensureNetwork(world: World, environment: string): Network {
  const found = world.networks.get(environment);
  if (found) return found;
  const network = { name: `memory-${environment}`, environment, subnet: `10.77.${world.networks.size}.0/24` };
  world.networks.set(environment, network);
  return network;
}

function removeImage(world: World, image: string): void {
  world.held.delete(image);
  const used = [...world.kept.values()].some(({ spec }) => spec.image === image);
  if (used) throw new RuntimeError("in-use", `a container is made from ${image}`);
  world.images.delete(image);
}

function start(world: World, spec: InstanceSpec): Instance {
  const found = byName(world, spec.name);
  if (found) {
    if (!same(found.spec, spec)) throw taken(spec);
    if (found.instance.state !== "running") begin(found);
    return { ...found.instance };
  }
  const kept = create(world, spec, spec.kind);
  begin(kept);
  const { exitCode, afterMs = 0 } = kept.behaviour;
  if (exitCode === undefined) return { ...kept.instance };
  if (afterMs === 0) {
    crash(kept, exitCode);
    throw new RuntimeError("start-failed", `${spec.name} exited at once with ${exitCode}`, { tail: kept.output });
  }
  setTimeout(() => crash(kept, exitCode), afterMs).unref();
  return { ...kept.instance };
}

async function runOnce(world: World, spec: ContainerSpec, call: CallOptions): Promise<JobResult> {
  const found = byName(world, spec.name);
  if (found && !same(found.spec, spec)) throw taken(spec);
  const kept = found ?? create(world, spec, "job");
  if (!found) {
    begin(kept);
    kept.ended = sleep(kept.behaviour.afterMs ?? 0).then(() => end(kept.instance, kept.behaviour.exitCode ?? 0));
  }
  const limit = AbortSignal.any([
    AbortSignal.timeout(call.deadlineMs ?? 600_000),
    ...(call.signal ? [call.signal] : []),
  ]);
  const late = new Promise<"late">((resolve) => limit.addEventListener("abort", () => resolve("late")));
  if ((await Promise.race([kept.ended, late])) === "late") {
    end(kept.instance, 137);
    const code = call.signal?.aborted ? "aborted" : "deadline";
    throw new RuntimeError(code, `${spec.name} was killed`, { tail: kept.output });
  }
  const { id, exitCode = 0, oomKilled } = kept.instance;
  return { id, exitCode, oomKilled, tail: kept.output.slice(-200) };
}

function create(world: World, spec: ContainerSpec, kind: Instance["kind"]): Kept {
  if (!world.networks.has(spec.environment))
    throw new RuntimeError("not-found", `there is no network of ${spec.environment}`);
  if (!world.images.has(spec.image)) throw new RuntimeError("image-missing", `the image ${spec.image} is not here`);
  const { name, environment, labels, image } = spec;
  const imageId = `sha256:${createHash("sha256").update(image).digest("hex")}`;
  const id = randomUUID();
  const kept: Kept = {
    instance: { id, name, environment, kind, labels, image, imageId, state: "created", oomKilled: false, restarts: 0 },
    address: `10.77.${Math.floor(world.addresses / 250)}.${1 + (world.addresses++ % 250)}`,
    spec: structuredClone(spec),
    behaviour: world.behave(spec),
    output: [],
    programs: new Map(),
    used: { cpuMs: 0, at: performance.now() },
  };
  world.kept.set(id, kept);
  for (const key of volumesOf(kept)) if (!world.volumes.has(key)) world.volumes.set(key, { content: "" });
  return kept;
}

function begin(kept: Kept): void {
  const { instance } = kept;
  instance.state = "running";
  instance.startedAt = new Date();
  kept.used = { cpuMs: 0, at: performance.now() };
  instance.address = kept.address;
  delete instance.exitCode;
  kept.output.push(...(kept.behaviour.output ?? []));
}

function usage(world: World, ids: readonly string[]): Usage[] {
  return ids.flatMap((id) => {
    const kept = world.kept.get(id);
    if (kept?.instance.state !== "running") return [];
    const { cpuMs, at } = usedBy(kept);
    return [{ id, cpuMs, readAt: at, since: kept.instance.startedAt?.toISOString() ?? "" }];
  });
}

function usedBy({ used, behaviour: { busy = 0 } }: Kept): Kept["used"] {
  const at = performance.now();
  return { cpuMs: used.cpuMs + (at - used.at) * busy, at };
}

function crash(kept: Kept, exitCode: number): void {
  if (kept.instance.state !== "running") return;
  Object.assign(kept.instance, { exitCode, state: "restarting", oomKilled: kept.behaviour.oomKilled ?? false });
  kept.instance.restarts += 1;
}

function end(instance: Instance, exitCode: number): void {
  if (instance.state === "exited") return;
  Object.assign(instance, { exitCode, state: "exited" });
  delete instance.address;
}

function mustFind(world: World, id: string): Kept {
  const kept = world.kept.get(id);
  if (!kept) throw new RuntimeError("not-found", `there is no instance ${id}`);
  return kept;
}

function byName(world: World, name: string): Kept | undefined {
  return [...world.kept.values()].find(({ spec }) => spec.name === name);
}

function carries(spec: ContainerSpec, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => spec.labels[key] === value);
}

function same(left: ContainerSpec, right: ContainerSpec): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function taken(spec: ContainerSpec): RuntimeError {
  return new RuntimeError("name-taken", `${spec.name} exists, made from another specification`);
}
