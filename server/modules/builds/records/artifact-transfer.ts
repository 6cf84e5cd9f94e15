/** The content of artifacts, streamed: jobs send it, jobs and people fetch it, in parts where they like. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { anyRole } from "#api/endpoint.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import { type ByteRange, readRange } from "#kernel/byte-range.ts";
import type { Database } from "#kernel/database.ts";
import { callerOf, checkRule, type HttpDeps, type Principal, sendRefusal } from "#kernel/http.ts";
import type { Log } from "#kernel/log.ts";
import { bytesOf } from "#kernel/request-bytes.ts";
import { type ArtifactRow, artifactStore } from "./artifact-store.ts";
import type { Artifacts } from "./artifacts.ts";
import { disposition, servedType } from "../core/served-artifact.ts";
import type { JobCaller } from "../job-calls/job-caller.ts";

interface Deps {
  db: Database;
  log: Log;
  blobs: Blobs;
  artifacts: Artifacts;
  caller: JobCaller;
  authenticate: HttpDeps["authenticate"];
}

/** A connection on which nothing moves for so long is given up; an upload can be carried on. */
const idleMs = 5 * 60_000;
const noSuchArtifact = (): Refusal => refuse("not-found", "there is no such artifact");

type Request = FastifyRequest<{ Params: { id: string }; Querystring: { at?: string } }>;

export function registerArtifacts(app: FastifyInstance, deps: Deps): void {
  void app.register(async (scope) => {
    // The bytes are taken from the socket.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _body, done) => done(null));
    const bodyLimit = Number.MAX_SAFE_INTEGER;
    scope.put("/api/job/artifacts/:id/content", { bodyLimit }, (request: Request, reply) => take(deps, request, reply));
    scope.get("/api/artifacts/:id/content", (request: Request, reply) => give(deps, request, reply));
  });
}

async function take(deps: Deps, request: Request, reply: FastifyReply): Promise<FastifyReply> {
  request.raw.setTimeout(idleMs);
  const row = await sending(deps, request);
  if (isRefusal(row)) return sendRefusal(reply, row);
  const at = /^\d{1,15}$/.exec(request.query.at ?? "0")?.[0];
  if (at === undefined) return sendRefusal(reply, refuse("request.invalid", "`at` is a number of bytes"));
  const answer = await deps.artifacts.receive(row, { at: Number(at), source: bytesOf(request.raw) });
  request.raw.resume();
  return isRefusal(answer) ? sendRefusal(reply, answer) : reply.send(answer);
}

/** The artifact that the caller's own attempt has announced. */
async function sending({ db, caller, authenticate }: Deps, request: Request): Promise<ArtifactRow | Refusal> {
  const principal = await callerOf(request, authenticate);
  if (isRefusal(principal)) return principal;
  const denied = checkRule({ job: true }, principal);
  if (denied) return denied;
  const job = await caller.caller({ principal });
  if (isRefusal(job)) return job;
  const row = isId(request.params.id) ? await artifactStore(db).artifact(request.params.id) : undefined;
  return row?.job === job.id && row.attempt === job.attempt ? row : noSuchArtifact();
}

async function give({ log, blobs, ...deps }: Deps, request: Request, reply: FastifyReply): Promise<FastifyReply> {
  const row = await readable(deps, request);
  if (isRefusal(row)) return sendRefusal(reply, row);
  const range = readRange(request.headers.range, row.size);
  if (range === "unsatisfiable") return reply.code(416).header("content-range", `bytes */${row.size}`).send();
  const content = await blobs.read(row.digest, range);
  if (!content) return sendRefusal(reply, noSuchArtifact());
  reply.hijack();
  request.raw.setTimeout(idleMs);
  const { raw } = reply;
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headersOf(row, range) }))
    if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(range ? 206 : 200);
  try {
    await content.copyTo(raw);
    raw.end();
  } catch (error) {
    log.debug({ err: error }, "who fetched an artifact went away");
    raw.destroy();
  }
  return reply;
}

async function readable(
  { db, caller, authenticate }: Pick<Deps, "db" | "caller" | "authenticate">,
  request: Request,
): Promise<ArtifactRow | Refusal> {
  const principal = await callerOf(request, authenticate);
  if (isRefusal(principal)) return principal;
  const row = isId(request.params.id) ? await artifactStore(db).artifact(request.params.id) : undefined;
  const denied = await whyNot({ principal, row, caller });
  return denied ?? (row?.complete ? row : noSuchArtifact());
}

interface Reader {
  principal: Principal | undefined;
  row: ArtifactRow | undefined;
  caller: JobCaller;
}

/** People of any role, and jobs of the same repository. */
async function whyNot({ principal, row, caller }: Reader): Promise<Refusal | undefined> {
  if (principal?.kind !== "job") return checkRule({ roles: anyRole }, principal);
  const denied = checkRule({ job: true }, principal);
  if (denied) return denied;
  const build = await caller.buildFor({ principal }, row?.build);
  return isRefusal(build) ? build : undefined;
}

const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

function headersOf({ path, size, digest, content_type }: ArtifactRow, range: ByteRange | undefined) {
  return {
    "content-type": servedType(content_type),
    "content-disposition": disposition(path),
    "content-security-policy": "default-src 'none'; sandbox",
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
    "content-length": range ? range.last - range.first + 1 : size,
    ...(range ? { "content-range": `bytes ${range.first}-${range.last}/${size}` } : {}),
  };
}
