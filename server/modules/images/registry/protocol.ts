/**
 * The OCI distribution protocol on `/v2/`. Requests are taken over before Fastify reads a body: gigabytes stream from the
 * socket to the disk and back.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { errorCatalogue, RefusalError } from "#api/errors.ts";
import type { Log } from "#kernel/log.ts";
import { type Fault, fault, isFault } from "../core/fault.ts";
import { parseRoute, type Route } from "../core/route.ts";
import type { Authentication } from "./authentication.ts";
import { type Answer, json, type Operation, type Operations } from "./call.ts";

export type AllOperations = { [K in Exclude<Route["kind"], "base" | "token">]: Operations<K> };

export interface ProtocolDeps {
  log: Log;
  authentication: Authentication;
  operations: AllOperations;
  token(request: IncomingMessage, query: URLSearchParams): Promise<Answer | Fault>;
}

/** A connection on which nothing moves for so long is given up; the upload can be carried on. */
const idleMs = 5 * 60_000;

/** Adds the routes. */
export function registerProtocol(app: FastifyInstance, deps: ProtocolDeps): void {
  void app.register(async (scope) => {
    scope.addHook("onRequest", async (request, reply) => {
      reply.hijack();
      request.raw.setTimeout(idleMs);
      await serve(deps, { request: request.raw, response: reply.raw, id: request.id });
    });
    // The hook has answered by then; the routes only say which requests it gets.
    for (const url of ["/v2", "/v2/*"]) scope.all(url, async () => undefined);
  });
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  id: string;
}

async function serve(deps: ProtocolDeps, { request, response, id }: Exchange): Promise<void> {
  const answer = await answerTo(deps, request).catch((error: unknown) => failure(deps.log, error, { request, id }));
  response.setHeaders(
    new Map([
      ["docker-distribution-api-version", "registry/2.0"],
      ["x-content-type-options", "nosniff"],
      ["x-request-id", id],
    ]),
  );
  await send(request, response, isFault(answer) ? faultAnswer(answer) : answer).catch((error: unknown) => {
    deps.log.debug({ err: error, requestId: id }, "a client of the registry went away");
    response.destroy();
  });
}

async function answerTo({ authentication, operations, token }: ProtocolDeps, request: IncomingMessage) {
  const { method = "", url = "" } = request;
  const [path, search] = splitOnce(url);
  const query = new URLSearchParams(search);
  const route = parseRoute(path);
  if (!isFault(route) && route.kind === "token") return token(request, query);
  if (isFault(route) || route.kind === "base") {
    const caller = await authentication.admit(request);
    return isFault(caller) ? caller : isFault(route) ? route : json({});
  }
  const table = operations[route.kind] as Record<string, Operation>;
  const operation = Object.hasOwn(table, method) ? table[method] : undefined;
  const need = { repository: route.repository, action: operation?.action ?? "pull" };
  const caller = await authentication.admit(request, need);
  if (isFault(caller)) return caller;
  if (operation) return operation.answer({ route, query, request, caller });
  const headers = { allow: Object.keys(table).join(", ") };
  return fault("UNSUPPORTED", `${method} is not possible here`, { headers });
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): Promise<void> {
  response.writeHead(status, { ...(status === 204 ? {} : { "content-length": 0 }), ...headers });
  if (typeof body === "object" && "copyTo" in body) await body.copyTo(response).then(() => response.end());
  else response.end(body);
  // What is left of a refused body is read, so that the answer arrives and the connection can serve again.
  request.resume();
}

function faultAnswer({ fault: code, message, status, headers }: Fault): Answer {
  return { ...json({ errors: [{ code, message }] }, headers), status };
}

function failure(log: Log, error: unknown, { request, id }: Pick<Exchange, "request" | "id">): Fault {
  const gone = request.destroyed && !request.complete;
  const path = splitOnce(request.url ?? "")[0];
  if (isFull(error)) return fault("DENIED", "disk full: the database has no space left", { status: 413 });
  if (gone) log.debug({ err: error, path, requestId: id }, "a client of the registry went away");
  else log.error({ err: error, path, requestId: id }, "a request to the registry failed");
  if (error instanceof RefusalError) return refused(error);
  return fault("UNKNOWN", `something broke; the server's log has request ${id}`);
}

/** What the drivers refuse, such as a store that is away: what they know of it is for the log. */
function refused({ refusal: { refused: code, fix = "" } }: RefusalError): Fault {
  const { status, summary } = errorCatalogue[code];
  return fault("UNKNOWN", `${summary} [${code}] ${fix}`.trim(), { status });
}

/** What PostgreSQL says when its disk is full. */
function isFull(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "53100";
}

function splitOnce(url: string): [string, string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}
