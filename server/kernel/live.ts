/**
 * `GET /api/live`: what happens, told to browsers as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * It says that something changed and where, and no more: what is new is read by the usual endpoints, with their rules. A client
 * that comes back after a cut reads anew what it shows. Events come as they are (`message`); of what changes too often to be
 * one only the subject is told (`changed`): a build's steps, who holds slots, which agents there are, how what serves is.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { anyRole } from "#api/endpoint.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import type { EventFeed, FedEvents } from "./event-feed.ts";
import { callerOf, checkRule, type HttpDeps, sendRefusal } from "./http.ts";
import type { Pulse } from "./pulse.ts";

interface Deps extends Pick<HttpDeps, "authenticate" | "stopping"> {
  feed: EventFeed;
  /** When to look at live figures again; those who do not show any do nothing. */
  pulse: Pick<Pulse, "listen">;
}

const heartbeatMs = 15_000;
/** Whether somebody may still see what happens is asked again so often. */
const askAgainMs = 60_000;
const mostListeners = 1_000;
/** Bytes that may wait for a client before it is cut off: it reads anew when it is back. */
const mostWaiting = 1024 * 1024;

export function serveLive(app: FastifyInstance, deps: Deps): void {
  let listening = 0;
  app.get("/api/live", async (request, reply) => {
    const denied = await whyNot(deps, request);
    if (denied) return sendRefusal(reply, denied);
    if (listening >= mostListeners)
      return sendRefusal(reply, refuse("server.busy", "too many listen already", { fix: "Close some windows." }));
    listening++;
    reply.raw.once("close", () => listening--);
    return stream(deps, request, reply);
  });
}

async function whyNot({ authenticate }: Deps, request: FastifyRequest) {
  const principal = await callerOf(request, authenticate);
  return isRefusal(principal) ? principal : checkRule({ roles: anyRole }, principal);
}

/** Opened only when whatever happens from then on is told: a page reads what it shows after that, and misses nothing. */
async function stream(deps: Deps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
  reply.hijack();
  const { raw } = reply;
  const send = (text: string) => {
    raw.write(text);
    if (raw.writableLength > mostWaiting) raw.destroy();
  };
  const silence = await deps.feed.listen((fed) => send(written(fed)));
  if (raw.destroyed) {
    silence();
    return reply;
  }
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers }))
    if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200);
  raw.write("retry: 1000\n\n");
  const end = () => raw.end();
  const calm = deps.pulse.listen(() => send("event: figures\ndata: {}\n\n"));
  const heart = setInterval(() => send(": alive\n\n"), heartbeatMs);
  const doubt = setInterval(() => void whyNot(deps, request).then((denied) => denied && end()), askAgainMs);
  deps.stopping.addEventListener("abort", end);
  raw.once("close", () => {
    silence();
    calm();
    clearInterval(heart);
    clearInterval(doubt);
    deps.stopping.removeEventListener("abort", end);
  });
  if (deps.stopping.aborted) end();
  return reply;
}

function written({ events, changed, missed }: FedEvents): string {
  if (missed) return "event: missed\ndata: {}\n\n";
  const subjects = changed.length > 0 ? `event: changed\ndata: ${JSON.stringify(changed)}\n\n` : "";
  return subjects + events.map(({ id, ...event }) => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}
