/** One request to `git http-backend`, from its start to the events that it caused. */
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { FastifyReply, FastifyRequest } from "fastify";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Cgi } from "#drivers/git/contract.ts";
import { untilHeard } from "#kernel/outbox.ts";
import { type SourceContext, subjectOf } from "./context.ts";
import { type CgiHead, splitHead } from "./core/cgi-head.ts";
import { type Announced, answerText, readAnnouncement } from "./core/push-talk.ts";
import type { GitService } from "./core/git-rule.ts";
import { createReceivers, quarantines, sweep } from "./leftovers.ts";
import { checkPush } from "./push-check.ts";
import type { RepositoryRow } from "./store.ts";

export interface Transfer {
  repository: RepositoryRow;
  service: GitService;
  user: string;
  path: string;
  request: FastifyRequest;
  reply: FastifyReply;
}

export interface Answer {
  head: CgiHead;
  body: Readable;
}

export interface Transfers {
  /** Answers as soon as git has said how; the body follows while git works. */
  start(transfer: Transfer): Promise<Answer | Refusal>;
}

const hooks = fileURLToPath(new URL("hooks", import.meta.url));
const usualMaxPackBytes = 1024 * 1024 * 1024;
/** At once, for the whole server. */
const transfersLimit = 64;
const deadlineMs = 60 * 60 * 1000;
/** A client that neither sends nor takes for so long is gone. */
const idleMs = 5 * 60 * 1000;
/** What a stopping server gives to transfers at work. */
const stopGraceMs = 10_000;

export function createTransfers(context: SourceContext): Transfers {
  const running = new Set<Cgi>();
  const receivers = createReceivers(async (repository) => {
    const folder = join(context.places.of(repository), "objects");
    await sweep({ folder, pattern: quarantines }).catch((error: unknown) =>
      context.log.warn({ err: error, repository }, "leftovers of pushes could not be removed"),
    );
  });
  const endAll = () => running.forEach((cgi) => cgi.kill());
  context.stopping.addEventListener("abort", () => setTimeout(endAll, stopGraceMs).unref(), { once: true });
  return {
    async start(transfer) {
      if (context.stopping.aborted) return refuse("server.stopping", "the server is stopping; try again in a moment");
      if (running.size >= transfersLimit)
        return refuse("server.busy", `${transfersLimit} transfers are at work already; try again in a moment`);
      const pushed = transfer.service === "git-receive-pack" ? transfer.repository.name : undefined;
      if (pushed) await receivers.enter(pushed);
      const cgi = open(context, transfer);
      running.add(cgi);
      void cgi.ended.then(() => {
        running.delete(cgi);
        if (pushed) receivers.leave(pushed);
      });
      const told = pushed ? takeTurn(context, transfer, cgi) : () => undefined;
      connect(transfer, cgi);
      return answerOf(context, cgi, told);
    },
  };
}

function open({ git, places, guards, maxPackBytes = usualMaxPackBytes }: SourceContext, transfer: Transfer): Cgi {
  const { repository, request, user, path, service } = transfer;
  const { headers } = request;
  const protocol = String(headers["git-protocol"] ?? "");
  const env: Record<string, string> = {
    GIT_PROJECT_ROOT: places.root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/${repository.name}.git/${path}`,
    REQUEST_METHOD: request.method,
    QUERY_STRING: path === "info/refs" ? `service=${service}` : "",
    CONTENT_TYPE: headers["content-type"] ?? "",
    REMOTE_USER: user,
    REMOTE_ADDR: request.ip,
    TOWLINE_REPOSITORY: repository.name,
    TOWLINE_DEFAULT_BRANCH: repository.default_branch,
    TOWLINE_GUARDED: guards.has(repository.name) ? "yes" : "no",
    TOWLINE_DIRECT_PUSH: repository.allow_direct_push ? "yes" : "no",
  };
  if (/^\d+$/.test(headers["content-length"] ?? "")) env["CONTENT_LENGTH"] = headers["content-length"] ?? "";
  if (/^(x-)?gzip$/.test(headers["content-encoding"] ?? "")) env["HTTP_CONTENT_ENCODING"] = "gzip";
  if (/^[\w=:.-]{1,200}$/.test(protocol)) env["GIT_PROTOCOL"] = protocol;
  return git.serve({ root: places.root, env, hooks, maxPackBytes, deadlineMs });
}

/** Joins the request's body with git, and git's life with the connection's. */
function connect({ request, reply }: Transfer, cgi: Cgi): void {
  const { raw } = request;
  if (request.method === "GET") cgi.input.end();
  else raw.pipe(cgi.input);
  // Git may answer before it has read everything; the rest is taken and dropped, so that the client reads the answer.
  for (const event of ["error", "close"]) cgi.input.once(event, () => raw.unpipe(cgi.input).resume());
  reply.raw.setTimeout(idleMs, () => reply.raw.destroy());
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) cgi.kill();
  });
  // One who went while the token was looked up closes no second time.
  if (reply.raw.destroyed) cgi.kill();
}

/**
 * The pre-receive hook says `ready` once the whole pack is there, and waits. When it is this push's turn it gets its `go`, or why
 * it is refused; the turn lasts until the push's events are written. So a slow upload holds nobody up, and no two pushes mix.
 * @returns what to wait for before the answer may end
 */
function takeTurn(context: SourceContext, { repository, user }: Transfer, cgi: Cgi): () => Promise<void> | undefined {
  const { db, writers, log } = context;
  let told: Promise<void> | undefined;
  let said = "";
  cgi.channel.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    const announced = told ? undefined : readAnnouncement(said);
    if (!announced) return;
    const turn = writers.write(repository.name, user, async () => {
      cgi.channel.write(answerText(await check(context, repository.name, announced)));
      await cgi.ended;
    });
    told = turn.then(() => untilHeard(db, subjectOf(repository.name)));
    told.catch((error: unknown) =>
      log.error({ err: error, repository: repository.name }, "a push is told at the next start"),
    );
  });
  return () => told;
}

async function check(context: SourceContext, repository: string, announced: Announced): Promise<string[]> {
  return checkPush(context, repository, announced).catch((error: unknown) => {
    context.log.error({ err: error, repository }, "a push could not be checked");
    return ["the push could not be checked; the server's log has more"];
  });
}

async function answerOf(
  { log }: SourceContext,
  cgi: Cgi,
  told: () => Promise<void> | undefined,
): Promise<Answer | Refusal> {
  cgi.channel.resume();
  const chunks = cgi.output.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const split = await readHead(chunks);
  if (!split) {
    const { code, stderr } = await cgi.ended;
    log.error({ code, stderr }, "git http-backend gave no answer");
    return refuse("server.failed", "git gave no answer; the server's log has more");
  }
  return {
    head: split.head,
    body: Readable.from(bodyOf(cgi, { chunks, first: split.rest, told }), { objectMode: false }),
  };
}

async function readHead(chunks: AsyncIterator<Buffer>): Promise<ReturnType<typeof splitHead>> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) return undefined;
    bytes = Buffer.concat([bytes, value]);
    const split = splitHead(bytes);
    if (split) return split;
  }
}

interface Body {
  chunks: AsyncIterable<Buffer>;
  first: Buffer;
  told: () => Promise<void> | undefined;
}

/** The answer ends when what reacts to the push's events has done so, and whoever pushed finds the build that it caused. */
async function* bodyOf(cgi: Cgi, { chunks, first, told }: Body): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* chunks;
  await cgi.ended;
  await told();
}
