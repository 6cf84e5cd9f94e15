/** One call to the Docker Engine's API, with a deadline and a signal. Shared by the drivers that stand on an engine. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import Modem from "docker-modem";

export interface EngineOptions {
  /** Path of the engine's socket; absent: what `DOCKER_HOST` says, or the usual place. */
  socketPath?: string;
}

export interface EngineRequest {
  method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** `/containers/json`, its variable parts encoded by the caller. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** A value sent as JSON, or a tar archive. */
  body?: Record<string, unknown> | Buffer;
  /** `{ username, password, serveraddress }` for pulls. */
  authconfig?: Record<string, string>;
}

/**
 * Why a call to the engine failed. `unreachable`: nobody answers there, or not as an engine does. `status`: it answered
 * with `status` and a message.
 */
export class EngineError extends Error {
  readonly reason: "unreachable" | "deadline" | "aborted" | "status";
  readonly status: number | undefined;
  constructor(reason: EngineError["reason"], message: string, more: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = "EngineError";
    this.reason = reason;
    this.status = more.status;
  }
}

/** When a call ends at the latest. */
export interface Limits {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

export interface Engine {
  /** The answer's JSON, as what the API documents; `undefined` where it has no body. */
  json<T>(request: EngineRequest, limits: Limits): Promise<T>;
  /** The answer's bytes; at most `mostBytes`. */
  bytes(request: EngineRequest, limits: Limits): Promise<Buffer>;
  /** JSON values of an answer that comes in pieces, one for each line. */
  lines<T>(request: EngineRequest, limits: Limits): AsyncIterable<T>;
  /** As `lines`, of what goes on until the limits: resolves when the engine begins to answer, and keeps no process from ending. */
  follow<T>(request: EngineRequest, limits: Limits): Promise<AsyncIterable<T>>;
  /** Resolves when the engine begins to answer; the bytes then come as it sends them, and no faster than they are taken. */
  open(request: EngineRequest, limits: Limits): Promise<AsyncIterable<Buffer>>;
  /** The connection itself once the engine has given it away: what is written is a program's input. Destroyed at the limits. */
  attach(request: EngineRequest, limits: Limits): Promise<Duplex>;
}

const mostBytes = 256 * 1024 * 1024;
const success = Object.fromEntries([200, 201, 204, 304].map((status) => [status, true]));

export function connectEngine(options: EngineOptions = {}): Engine {
  const docker = new Modem({
    ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    // An engine that stops lets nobody in any more, but goes on answering on the connections that it has.
    headers: { Connection: "close" },
  });
  return {
    async json(request, limits) {
      const text = (await collect(docker, request, limits)).toString().trim();
      return text === "" || text === "OK" ? undefined : JSON.parse(text);
    },
    bytes: (request, limits) => collect(docker, request, limits),
    lines: (request, limits) => valuesOf(chunksOf(docker, request, limits)),
    follow: async (request, limits) => valuesOf(await open(docker, request, { ...limits, idle: true })),
    open: (request, limits) => open(docker, request, limits),
    attach: (request, limits) => attach(docker, request, limits),
  };
}

/** A signal that fires at the deadline or with the caller's signal, and tells a failure of which of the two it was. */
export function limit({ deadlineMs, signal }: Limits) {
  const timeout = AbortSignal.timeout(Math.max(0, Math.ceil(deadlineMs)));
  const both = signal ? AbortSignal.any([timeout, signal]) : timeout;
  const reason = (): "deadline" | "aborted" | undefined =>
    signal?.aborted ? "aborted" : timeout.aborted ? "deadline" : undefined;
  return { signal: both, reason };
}

async function collect(docker: Modem, request: EngineRequest, limits: Limits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(docker, request, limits)) {
    size += chunk.length;
    if (size > mostBytes) throw new EngineError("status", `the answer to ${request.path} is too long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* valuesOf<T>(chunks: AsyncIterable<Buffer>): AsyncIterable<T> {
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part.trim() !== "") yield JSON.parse(part);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}

async function* chunksOf(docker: Modem, request: EngineRequest, limits: Limits): AsyncIterable<Buffer> {
  yield* await open(docker, request, limits);
}

async function open(
  docker: Modem,
  request: EngineRequest,
  { idle, ...limits }: Limits & { idle?: true },
): Promise<AsyncIterable<Buffer>> {
  const { signal, reason } = limit(limits);
  const explained = (error: unknown) => explain(error, request, reason());
  async function* read(answer: IncomingMessage): AsyncIterable<Buffer> {
    try {
      for await (const chunk of answer) yield chunk as Buffer;
    } catch (error) {
      throw explained(error);
    }
  }
  try {
    signal.throwIfAborted();
    // The engine answers such a path with a redirect, over which the client library fails outside of its promise.
    if (/\/\/|\/\.\.?(\/|$)/.test(request.path))
      throw new EngineError("status", `not a path: ${request.path}`, { status: 400 });
    const answer = await dial(docker, request, { signal });
    if (idle) answer.socket.unref();
    return read(answer);
  } catch (error) {
    throw explained(error);
  }
}

async function attach(docker: Modem, request: EngineRequest, limits: Limits): Promise<Duplex> {
  const { signal, reason } = limit(limits);
  try {
    signal.throwIfAborted();
    const socket = (await dial(docker, request, { signal, hijack: true })) as unknown as Duplex;
    signal.addEventListener("abort", () => socket.destroy(explain(undefined, request, reason())), { once: true });
    return socket;
  } catch (error) {
    throw explain(error, request, reason());
  }
}

function dial(
  docker: Modem,
  request: EngineRequest,
  { signal, hijack }: { signal: AbortSignal; hijack?: true },
): Promise<IncomingMessage> {
  const { method, path, query = {}, body = {}, authconfig } = request;
  const archive = Buffer.isBuffer(body);
  const options = {
    method,
    path: `${path}?`,
    options: { _query: query, _body: archive ? {} : body },
    ...(archive ? { file: body } : {}),
    ...(authconfig ? { authconfig } : {}),
    abortSignal: signal,
    isStream: true,
    ...(hijack ? { hijack } : {}),
    statusCodes: success,
  };
  return new Promise((resolve, reject) => {
    docker.dial(options, (error, answer) => (error ? reject(error) : resolve(answer as IncomingMessage)));
  });
}

function explain(error: unknown, request: EngineRequest, ended: "deadline" | "aborted" | undefined): EngineError {
  if (error instanceof EngineError) return error;
  const what = `${request.method} ${request.path}`;
  if (ended === "deadline") return new EngineError("deadline", `the engine took too long: ${what}`, { cause: error });
  if (ended === "aborted") return new EngineError("aborted", `the call was aborted: ${what}`, { cause: error });
  const { statusCode: status, message } = error as { statusCode?: number; message: string };
  if (status === undefined)
    return new EngineError("unreachable", `the Docker Engine does not answer: ${message}`, { cause: error });
  // The client library puts its own words before the engine's sentence.
  const sentence = message.replace(/^\(HTTP code \d+\) \w+ - /, "").trim();
  return new EngineError("status", sentence, { status, cause: error });
}
