/**
 * How bodies are taken in. A pact is read as a whole, and while it is looked at it takes ten times its bytes; so of the large ones
 * there is one in memory at a time, and the others wait where they are.
 */
import type { FastifyReply, FastifyRequest, RequestPayload } from "fastify";
import { finished, PassThrough } from "node:stream";
import { createKeyedLock } from "#kernel/keyed-lock.ts";

/** In a publication pacts are written in base64, a third longer than they are. */
export const mostBytes = 16 * 1024 * 1024;

const largeBytes = 1024 * 1024;
/** Others wait for it, so it is long enough for its way, and its sender for its answer. */
const patienceMs = 60_000;

/** As a hook before a body is read. */
export function oneLargeBodyAtATime() {
  const turns = createKeyedLock();
  return async ({ headers, raw }: FastifyRequest, reply: FastifyReply, payload: RequestPayload) => {
    const bytes = Number(headers["content-length"] ?? (headers["transfer-encoding"] ? mostBytes : 0));
    if (bytes <= largeBytes) return payload;
    const turn = await turns.take("large");
    const body = new PassThrough();
    const late = new Error(`the body did not come within ${patienceMs / 1000} seconds`);
    const end = () => {
      clearTimeout(timer);
      turn[Symbol.dispose]();
    };
    const timer = setTimeout(() => {
      body.destroy(Object.assign(late, { statusCode: 408 }));
      end();
    }, patienceMs);
    if (raw.destroyed) end();
    else reply.raw.once("close", end);
    // Whoever reads it hears of it; it may be nobody any more.
    body.on("error", () => undefined);
    finished(payload, (error) => {
      if (error) body.destroy(error);
    });
    return payload.pipe(body);
  };
}
