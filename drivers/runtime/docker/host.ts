/** The engine of one host as one installation sees it: its calls, and what its methods share. */
import { connectEngine, type Engine, type EngineRequest, type Limits } from "#drivers/engine/engine.ts";
import { linesOf, unframe } from "#drivers/engine/output.ts";
import { type CallOptions, type Instance, RuntimeError } from "../contract.ts";
import type { Pool } from "./addresses.ts";
import { isFailure, translate } from "./failure.ts";
import { createNames, type Names } from "./names.ts";
import { type Inspected, instanceOf } from "./read.ts";
import { createSightings, type Sightings } from "./sightings.ts";

export interface DockerRuntimeOptions {
  /** Name of the installation, `[a-z0-9][a-z0-9-]*`: part of every name and on every label. */
  install: string;
  /** Path of the engine's socket; absent: the usual one. */
  socketPath?: string;
}

export interface Taken {
  /** Absent where the network's subnet is none to deal from. */
  pool: Pool | undefined;
  used: Set<string>;
}

export interface Host {
  names: Names;
  engine: Engine;
  /** Pulls under way, by image. */
  pulls: Map<string, Promise<void>>;
  /** The address given last, by environment. */
  lastAddress: Map<string, string>;
  /** Settles when the call before has made sure of the network, by environment. */
  networks: Map<string, Promise<unknown>>;
  /** Addresses in use, while they are being read, by environment. */
  taken: Map<string, Promise<Taken>>;
  /** Ids of containers that were seen to be ours: what an id stands for never changes, so that it need not be asked again. */
  owned: Set<string>;
  sightings: Sightings;
}

export const mostLines = 10_000;
/** Those that somebody else removes are never forgotten one by one. */
const mostOwned = 10_000;

export function createHost({ install, socketPath }: DockerRuntimeOptions): Host {
  const engine = connectEngine(socketPath === undefined ? {} : { socketPath });
  return {
    names: createNames(install),
    engine,
    pulls: new Map(),
    lastAddress: new Map(),
    networks: new Map(),
    taken: new Map(),
    owned: new Set(),
    sightings: createSightings(engine, install),
  };
}

/** The limits of one method's call: all calls to the engine within it share its deadline. */
export function limitsOf(options: CallOptions | undefined, usualMs: number): Limits {
  const end = performance.now() + (options?.deadlineMs ?? usualMs);
  return {
    get deadlineMs() {
      return end - performance.now();
    },
    signal: options?.signal,
  };
}

export async function json<T>({ engine }: Host, request: EngineRequest, limits: Limits): Promise<T> {
  return engine.json<T>(request, limits).catch((error: unknown) => {
    throw translate(error);
  });
}

/** What the engine says of a container, by id or by its full name; nothing when it is gone. */
export async function inspected(host: Host, id: string, limits: Limits): Promise<Inspected | undefined> {
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(id)) return undefined;
  const path = `/containers/${id}/json`;
  return gone(() => json<Inspected>(host, { method: "GET", path }, limits));
}

/** An instance or job of this installation, or nothing. */
export async function own(host: Host, id: string, limits: Limits): Promise<Instance | undefined> {
  const note = host.sightings.expect(id);
  const found = await inspected(host, id, limits);
  const instance = found && instanceOf(found, host.names.install);
  if (!instance) return undefined;
  note(found, instance);
  if (host.owned.size >= mostOwned) host.owned.clear();
  host.owned.add(instance.id);
  return instance;
}

/** Its full id, if it is an instance or job of this installation. */
export async function ownId(host: Host, id: string, limits: Limits): Promise<string | undefined> {
  return host.owned.has(id) ? id : (await own(host, id, limits))?.id;
}

export async function tail(host: Host, at: { id: string; lines: number }, limits: Limits): Promise<string[]> {
  const query = { stdout: true, stderr: true, tail: Math.min(at.lines, mostLines) };
  const request: EngineRequest = { method: "GET", path: `/containers/${at.id}/logs`, query };
  const bytes = await host.engine.bytes(request, limits).catch((error: unknown) => {
    throw translate(error);
  });
  return linesOf(unframe(bytes)).slice(-at.lines);
}

/** Nothing, when it is said not to be there. */
export async function gone<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  return attempt().catch((error: unknown) => {
    if (isFailure(error, "not-found")) return undefined;
    throw error;
  });
}

export function missing(id: string): RuntimeError {
  return new RuntimeError("not-found", `there is no instance ${id}`);
}
