/** A program inside of an instance, run from here over a WebSocket; what is said over it is in `api/programs.ts`. */
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { type RawData, WebSocket } from "ws";
import {
  type BeginProgram,
  errorStream,
  mostInputBytes,
  type ProgramNews,
  type programSteering,
} from "#api/programs.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { z } from "zod";
import { type ClientOptions, readRefusal, unreachable } from "./client.ts";

type Steering = z.input<typeof programSteering>;

export interface ProgramEars {
  begun?(instance: string, until: string): void;
  /** What it writes; nothing more is read until the promise settles. */
  output(bytes: Uint8Array, isError: boolean): Promise<void>;
}

export interface ProgramCall {
  service: string;
  environment: string;
  asked: Omit<BeginProgram, "type">;
  /** Its input, from when it runs on; not read to the end when the program ends before. */
  input: AsyncIterable<Uint8Array>;
  /** Gets what tells the program another size of its terminal. */
  onResize?(tell: (size: { columns: number; rows: number }) => void): void;
}

export type ProgramEnded = Omit<Extract<ProgramNews, { type: "ended" }>, "type">;

/** Answers how it ended, or why it never ran. */
export async function runProgram(
  options: ClientOptions,
  call: ProgramCall,
  ears: ProgramEars,
): Promise<ProgramEnded | Refusal> {
  const socket = new WebSocket(addressOf(options.url, call), {
    headers: { authorization: `Bearer ${options.token ?? ""}` },
    perMessageDeflate: false,
  });
  const done = Promise.withResolvers<ProgramEnded | Refusal>();
  const say = (steering: Steering) => socket.send(JSON.stringify(steering));
  const taken = createTurn();
  socket.on("unexpected-response", (_, answer: IncomingMessage) => {
    void text(answer).then((body) => done.resolve(readRefusal(answer.statusCode ?? 500, body)));
  });
  socket.on("error", (error) => done.resolve(unreachable(options.url, error)));
  socket.on("close", () => done.resolve(refuse("server.unreachable", "the connection to the server broke")));
  socket.on("open", () => socket.send(JSON.stringify({ type: "begin", ...call.asked })));
  const hear = (news: ProgramNews) => {
    if (news.type === "refused") {
      const { code, ...rest } = news.error;
      return done.resolve({ refused: code, ...rest });
    }
    if (news.type === "taken") return taken.next();
    if (news.type === "ended") return done.resolve({ end: news.end, exitCode: news.exitCode, reason: news.reason });
    ears.begun?.(news.instance, news.until);
    call.onResize?.((size) => say({ type: "size", ...size }));
    void feed(call.input, { socket, taken: taken.wait }).then(() => say({ type: "end" }), done.reject);
  };
  // One after the other, so that an end is not heard before the output that came first.
  let heard = Promise.resolve();
  socket.on("message", (data: RawData, isBinary: boolean) => {
    const bytes = data as Buffer;
    if (!isBinary) return void (heard = heard.then(() => hear(JSON.parse(bytes.toString()) as ProgramNews)));
    socket.pause();
    heard = heard
      .then(() => ears.output(bytes.subarray(1), bytes[0] === errorStream))
      .then(() => socket.resume())
      .catch((error: unknown) => done.reject(error));
  });
  try {
    return await done.promise;
  } finally {
    socket.terminate();
  }
}

function addressOf(base: string, { service, environment }: ProgramCall): URL {
  const path = `/api/programs/${encodeURIComponent(service)}/${encodeURIComponent(environment)}`;
  return new URL(base.replace(/^http/, "ws").replace(/\/$/, "") + path);
}

/** Waits for the next call of `next`. */
function createTurn() {
  let turn = Promise.withResolvers<void>();
  return {
    wait: () => turn.promise.then(() => void (turn = Promise.withResolvers())),
    next: () => turn.resolve(),
  };
}

async function feed(
  input: AsyncIterable<Uint8Array>,
  { socket, taken }: { socket: WebSocket; taken: () => Promise<void> },
): Promise<void> {
  for await (const bytes of input)
    for (let at = 0; at < bytes.length; at += mostInputBytes) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(bytes.subarray(at, at + mostInputBytes));
      await taken();
    }
}
