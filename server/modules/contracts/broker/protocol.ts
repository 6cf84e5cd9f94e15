/**
 * The Pact Broker's API. It is no table of endpoint rows of ours: its paths, its errors and its way to lead clients from link to
 * link are those of https://github.com/pact-foundation/pact_broker.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "#access";
import { isRefusal } from "#api/errors.ts";
import { addressOf } from "#kernel/address.ts";
import type { Principal } from "#kernel/http.ts";
import { whyNot } from "../core/rights.ts";
import { findRoute, segmentsOf } from "../core/route.ts";
import { TooMuch } from "../world-store.ts";
import { mostBytes, oneLargeBodyAtATime } from "./bodies.ts";
import { type Answer, AnswerError, type Call, fail, type Method, type Operation, type Row } from "./call.ts";
import { linksAt } from "./links.ts";

export interface ProtocolDeps {
  access: Pick<Access, "authenticate">;
  publicUrl: string | undefined;
  rows: readonly Row[];
}

/** Adds the API below a prefix (`/pact`), or at the root (empty). */
export function registerProtocol(app: FastifyInstance, prefix: string, deps: ProtocolDeps): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // As it came, whatever its type claims: a client names JSON and sends nothing, another sends it under a type of its own.
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: mostBytes }, (_request, body, done) =>
      done(null, body),
    );
    scope.setErrorHandler((error, request, reply) => send(reply, failure(error as FailedRequest, request)));
    const admitted = new WeakMap<FastifyRequest, Admitted>();
    // Before a byte of the body is read.
    scope.addHook("onRequest", async (request, reply) => {
      const found = await admit(deps, prefix, request);
      if ("status" in found) return send(reply, found);
      admitted.set(request, found);
    });
    scope.addHook("preParsing", oneLargeBodyAtATime());
    const serve = async (request: FastifyRequest, reply: FastifyReply) => {
      const found = admitted.get(request);
      if (!found) throw new Error("a request was served that was not admitted");
      const { operation, ...call } = found;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answered = Promise.resolve(call).then((given) => operation.answer({ ...given, body }));
      return send(reply, await answered.catch((error: unknown) => carried(error)));
    };
    for (const url of [prefix || "/", `${prefix}/*`]) scope.all(url, { bodyLimit: mostBytes }, serve);
  });
}

const tooLarge = fail(413, [`the body is larger than the ${mostBytes} bytes that are taken here`]);

type FailedRequest = Error & { statusCode?: number };

/** What a client may have done wrong is never a server's error: clients try again on those, for a minute and longer. */
function failure(error: FailedRequest, request: FastifyRequest): Answer {
  const { statusCode = 500 } = error;
  if (statusCode === 413) return tooLarge;
  if (statusCode < 500) return fail(statusCode, [error.message]);
  request.log.error({ err: error }, "a request to the broker of contracts failed");
  return fail(500, [`something broke; the server's log has request ${request.id}`]);
}

function carried(error: unknown): Answer {
  if (error instanceof AnswerError) return error.answer;
  if (error instanceof TooMuch) return fail(400, [`${error.message}: name versions, or an environment`]);
  throw error;
}

/** What a request asks for, by somebody who may. */
type Admitted = Omit<Call, "body"> & { operation: Operation };

async function admit(deps: ProtocolDeps, prefix: string, request: FastifyRequest): Promise<Admitted | Answer> {
  const { url = "" } = request.raw;
  const at = url.indexOf("?");
  const [path, search] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  const principal = await callerOf(deps, request);
  if ("status" in principal) return principal;
  const segments = segmentsOf(path.slice(prefix.length));
  if (!segments) return fail(400, ["the path holds what is no text, or a name that is too long"]);
  const found = findRoute(deps.rows, segments);
  if (!found) return fail(404, [`${path} is nothing that the broker knows`]);
  const { method } = request;
  const operation = found.row.methods[method === "HEAD" ? "GET" : (method as Method)];
  const allow = Object.keys(found.row.methods).join(", ");
  if (!operation)
    return { ...fail(method === "OPTIONS" ? 204 : 405, [`${method} is not possible here`]), headers: { allow } };
  const not = whyNot(principal, operation.may);
  if (not) return fail(403, [not]);
  // Told here, what still comes is let pass; told later, the connection breaks, and some clients would say no more than that.
  if (Number(request.headers["content-length"]) > mostBytes) return tooLarge;
  const base = `${baseOf(request, principal, deps.publicUrl)}${prefix}`;
  return {
    ...{ operation, params: found.params, search, principal, links: linksAt(base) },
    self: `${base}${path.slice(prefix.length)}`,
    contentType: request.headers["content-type"] ?? "",
  };
}

/** A job asks by way of its agent, at a place of its own, where it comes back to. */
function baseOf({ raw, headers }: FastifyRequest, principal: Principal, publicUrl: string | undefined): string {
  const seen = principal.kind === "job" ? headers["towline-host"] : undefined;
  if (typeof seen !== "string") return addressOf(raw, publicUrl);
  return addressOf({ headers: { host: seen }, socket: raw.socket }, publicUrl);
}

async function callerOf({ access }: ProtocolDeps, request: FastifyRequest): Promise<Principal | Answer> {
  const challenge = { "www-authenticate": 'Basic realm="Towline"' };
  const principal = await access.authenticate(request.headers.authorization);
  if (principal && !isRefusal(principal)) return principal;
  const why = principal?.message ?? "a token of the platform is needed, as bearer token or as password";
  return { ...fail(401, [why]), headers: challenge };
}

function send(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  // No type with an answer that is empty: the command line client would read it.
  if (status === 204) return reply.send();
  return reply.type("application/hal+json;charset=utf-8").send(JSON.stringify(body));
}
