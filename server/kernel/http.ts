/** Fastify from the table of endpoint rows: parse, check the rule, call the handler, answer or refuse. */
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { z } from "zod";
import type { AuthRule, CallOutput, Endpoint, Parsed, Role } from "#api/endpoint.ts";
import { errorCatalogue, isRefusal, refuse, type Refusal, RefusalError } from "#api/errors.ts";
import { newId } from "./clock.ts";
import { isOutage } from "./database.ts";
import type { Log } from "./log.ts";
import { authorizationOf } from "./session-cookie.ts";

/** Who calls. A job's token opens Git, the registry, and the endpoint rows that are for jobs. */
export type Principal =
  | { kind: "user"; name: string; role: Role; token: string }
  | { kind: "agent"; name: string; token: string }
  | { kind: "ingress"; name: string; token: string }
  | { kind: "job"; name: string; token: string; grants: Grants };

/** What a job may reach: actions per repository, both in Git (`pull`) and in the image registry. */
export interface Grants {
  repositories: Record<string, ("pull" | "push")[]>;
  /** For whom its job publishes contracts. */
  pacticipant?: string;
  /** The attempt that the token was made for; a token that only pulls has none. */
  job?: JobIdentity;
}

export interface JobIdentity {
  id: string;
  attempt: number;
}

export interface Context {
  principal: Principal | undefined;
  log: Log;
  requestId: string;
  /** Fires when the caller has gone or the server stops: long polls end on it. */
  signal: AbortSignal;
}

export type Handler<E extends Endpoint> = (
  request: Parsed<E>,
  context: Context,
) => Promise<CallOutput<E> | Refusal> | CallOutput<E> | Refusal;

export type Handlers<T extends Record<string, Endpoint>> = { [K in keyof T]: Handler<T[K]> };

export interface HttpDeps {
  log: Log;
  /** The caller behind an `authorization` header; undefined without one, a refusal for a wrong one. */
  authenticate(authorization: string | undefined): Promise<Principal | Refusal | undefined>;
  stopping: AbortSignal;
}

export function createHttp({ log }: Pick<HttpDeps, "log">): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newId,
    requestIdHeader: false,
    // A proxy on this machine tells whose request it passes on.
    trustProxy: "loopback",
    bodyLimit: 1024 * 1024,
    // Long polls, pushes and uploads end by their own rules.
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 300 },
    // Clients that offer another protocol, such as h2c, are answered in this one.
    http: { shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket" },
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "x-request-id": request.id,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'self'",
    });
  });
  app.addHook("onResponse", async (request, reply) => {
    request.log.debug(
      { method: request.method, path: request.url.split("?")[0], status: reply.statusCode, ms: reply.elapsedTime },
      "answered",
    );
  });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((error, request, reply) => sendRefusal(reply, refusalOf(error as FastifyError, request)));
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(
      reply,
      refuse("request.unknown-endpoint", `${request.method} ${request.url.split("?")[0]} does not exist`),
    ),
  );
  return app;
}

/** Adds the rows of one table with their handlers. */
export function serveEndpoints<T extends Record<string, Endpoint>>(
  app: FastifyInstance,
  deps: HttpDeps,
  rows: { table: T; handlers: Handlers<T> },
): void {
  for (const [name, row] of Object.entries(rows.table)) {
    const handler = rows.handlers[name] as Handler<Endpoint>;
    app.route({
      method: row.method,
      url: row.path,
      ...(row.bodyLimit ? { bodyLimit: row.bodyLimit } : {}),
      handler: (request, reply) => answer(row, handler, { deps, request, reply }),
    });
  }
}

interface Exchange {
  deps: HttpDeps;
  request: FastifyRequest;
  reply: FastifyReply;
}

async function answer(
  row: Endpoint,
  handler: Handler<Endpoint>,
  { deps, request, reply }: Exchange,
): Promise<FastifyReply> {
  const gone = new AbortController();
  // Heard from now on: who goes while he is being authenticated would never be missed by the long poll that follows.
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const principal = await callerOf(request, deps.authenticate);
  if (isRefusal(principal)) return sendRefusal(reply, principal);
  const denied = checkRule(row.auth, principal);
  if (denied) return sendRefusal(reply, denied);
  const parsed = parseRequest(row, request);
  if (isRefusal(parsed)) return sendRefusal(reply, parsed);
  const signal = AbortSignal.any([gone.signal, deps.stopping]);
  const context = { principal, log: request.log as unknown as Log, requestId: request.id, signal };
  const result = await handler(parsed, context);
  if (isRefusal(result)) return sendRefusal(reply, result);
  return reply.header("cache-control", "no-store").send(row.response.parse(result));
}

/** Who asks, by token or by a browser's session. */
export async function callerOf(
  request: FastifyRequest,
  authenticate: HttpDeps["authenticate"],
): Promise<Principal | Refusal | undefined> {
  const authorization = authorizationOf(request);
  return isRefusal(authorization) ? authorization : authenticate(authorization);
}

const tellWho = "Run `towline login`, or set TOWLINE_TOKEN.";

/** Why the rule keeps this caller out, or undefined. */
export function checkRule(rule: AuthRule, principal: Principal | undefined): Refusal | undefined {
  if (rule === "public") return undefined;
  if (!principal) return refuse("auth.required", "this needs a token", { fix: tellWho });
  if ("agent" in rule)
    return principal.kind === "agent" ? undefined : refuse("auth.forbidden", "only agents may do this");
  if ("ingress" in rule)
    return principal.kind === "ingress" ? undefined : refuse("auth.forbidden", "only ingresses may do this");
  if ("job" in rule) return isJob(principal) ? undefined : refuse("auth.forbidden", "only jobs may do this");
  if (principal.kind === "user" && rule.roles.includes(principal.role)) return undefined;
  return refuse("auth.forbidden", `this needs one of the roles ${rule.roles.join(", ")}`);
}

/** The user behind a request that a role rule has let in. */
export function userOf({ principal }: Context): Extract<Principal, { kind: "user" }> {
  if (principal?.kind !== "user") throw new Error("a role rule let in somebody who is not a user");
  return principal;
}

/** The ingress behind a request that the rule for ingresses has let in. */
export function ingressOf({ principal }: Context): string {
  if (principal?.kind !== "ingress") throw new Error("the rule for ingresses let in somebody who is none");
  return principal.name;
}

const isJob = (principal: Principal) => principal.kind === "job" && principal.grants.job !== undefined;

/** The attempt behind a request that the rule for jobs has let in. Whether it is still at work is the module's to say. */
export function jobOf({ principal }: Pick<Context, "principal">): JobIdentity {
  if (principal?.kind !== "job" || !principal.grants.job) throw new Error("a job rule let in somebody who is no job");
  return principal.grants.job;
}

function parseRequest(row: Endpoint, request: FastifyRequest): Parsed<Endpoint> | Refusal {
  const parts: Record<string, unknown> = {};
  for (const part of ["params", "query", "headers", "body"] as const) {
    const schema = row[part];
    const result = schema?.safeParse(request[part] ?? {});
    if (result && !result.success) return invalidPart(part, result.error);
    parts[part] = result?.data;
  }
  return parts as unknown as Parsed<Endpoint>;
}

function invalidPart(part: string, error: z.ZodError): Refusal {
  const issues = error.issues
    .slice(0, 10)
    .map((issue) => ({ path: [part, ...issue.path].join("."), message: issue.message }));
  return refuse("request.invalid", issues.map(({ path, message }) => `${path}: ${message}`).join("; "), {
    details: { issues },
  });
}

export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { refused: code, ...rest } = refusal;
  const status = errorCatalogue[code].status;
  // Asked for `Basic`, a browser would open a window of its own for name and password, over our page.
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="towline"');
  const wait = rest.details?.["retryAfterSeconds"];
  if (typeof wait === "number") reply.header("retry-after", wait);
  return reply.code(status).send({ error: { code, ...rest, requestId: reply.request.id } });
}

function refusalOf(error: FastifyError, request: FastifyRequest): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  if (error.statusCode === 413) return refuse("request.too-large", error.message);
  if ((error.statusCode ?? 500) < 500) return refuse("request.invalid", error.message);
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") return refuse("disk.full", "the server's disk is full");
  if (isOutage(error)) {
    request.log.warn({ err: error, path: request.url.split("?")[0] }, "a request met no database");
    return refuse("server.database-away", "the server's database does not answer", { fix: "Try again in a moment." });
  }
  request.log.error({ err: error, path: request.url.split("?")[0] }, "a request failed");
  return refuse("server.failed", "something broke; the server's log has this request id");
}
