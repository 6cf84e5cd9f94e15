/** `GET /api/jobs/:id/log/raw`: the bytes of a log as a stream, whole or a range of them. No row, for its answer is no JSON. */
import { createReadStream } from "node:fs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { anyRole } from "#api/endpoint.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import { uuid } from "#api/names.ts";
import { callerOf, checkRule, type HttpDeps, sendRefusal } from "#kernel/http.ts";
import type { FindLog } from "./follow-log.ts";
import { fileOf } from "./log-file.ts";
import type { JobLogs } from "./job-logs.ts";

interface Deps {
  authenticate: HttpDeps["authenticate"];
  find: FindLog;
  logs: JobLogs;
}

const params = z.object({ id: uuid });
const query = z.strictObject({ attempt: z.coerce.number().int().positive().optional() });

export function serveLogDownload(app: FastifyInstance, deps: Deps): void {
  app.get("/api/jobs/:id/log/raw", (request, reply) => download(deps, request, reply));
}

async function download({ authenticate, find, logs }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const caller = await callerOf(request, authenticate);
  if (isRefusal(caller)) return sendRefusal(reply, caller);
  const denied = checkRule({ roles: anyRole }, caller);
  if (denied) return sendRefusal(reply, denied);
  const asked = [params.safeParse(request.params), query.safeParse(request.query)] as const;
  if (!asked[0].success || !asked[1].success)
    return sendRefusal(reply, refuse("request.invalid", "the address names a job, and at most its attempt"));
  const log = await find(asked[0].data.id, asked[1].data.attempt);
  if (isRefusal(log)) return sendRefusal(reply, log);
  if (!("job" in log)) return reply.type(textType).send("");
  const { size, paths } = await logs.open(fileOf(log));
  return sendRange(reply, { path: paths.bytes, size, wanted: request.headers.range });
}

/** Never to be taken for a page: a job may write what it likes. */
const textType = "text/plain; charset=utf-8";

function sendRange(
  reply: FastifyReply,
  { path, size, wanted }: { path: string; size: number; wanted: string | undefined },
): FastifyReply {
  const range = readRange(wanted, size);
  reply.headers({ "accept-ranges": "bytes", "cache-control": "no-store" }).type(textType);
  if (range === "outside") return reply.code(416).header("content-range", `bytes */${size}`).send("");
  if (size === 0) return reply.send("");
  const { first, last } = range ?? { first: 0, last: size - 1 };
  if (range) reply.code(206).header("content-range", `bytes ${first}-${last}/${size}`);
  return reply.header("content-length", last - first + 1).send(createReadStream(path, { start: first, end: last }));
}

/** The whole (undefined) where no header asks for one range of bytes. */
function readRange(header: string | undefined, size: number) {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last ? "outside" : { first, last };
}
