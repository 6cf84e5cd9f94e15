/** One program of one person over one WebSocket, from the first message to the last. */
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawData, WebSocket } from "ws";
import type { z } from "zod";
import {
  beginProgram,
  type BeginProgram,
  errorStream,
  mostInputBytes,
  outputStream,
  type ProgramEnd,
  type ProgramNews,
  programSteering,
} from "#api/programs.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Program, TerminalSize } from "#drivers/runtime/contract.ts";
import type { World } from "../steps/step.ts";
import type { Place } from "../store.ts";
import { begin, type Begun, type End, type Person, refusalOf, tellEnd } from "./begin.ts";

export interface Caller {
  place: Place;
  person: Person;
  /** Why the caller may not go on: the token was revoked, the environment allows it no more. */
  doubt(): Promise<Refusal | undefined>;
}

/** What a caller gets for the first message. */
const beginMs = 10_000;
/** Proxies end connections on which nothing moves. */
const pingMs = 15_000;
const closeMs = 1_000;

/** What ended a program, as half a sentence. */
const words = {
  left: "who ran it went away",
  late: "its time was over",
  stopped: "the server stopped",
  denied: "who ran it may no longer",
} satisfies Partial<Record<ProgramEnd, string>>;
type Cut = keyof typeof words;

interface Session {
  world: World;
  socket: WebSocket;
  caller: Caller;
  stopping: AbortSignal;
}

export async function runSession(session: Session): Promise<void> {
  const { world, socket } = session;
  const ear = listen(socket);
  const pings = setInterval(() => socket.ping(), pingMs);
  try {
    await converse(session, ear);
  } catch (error) {
    world.log.error({ err: error }, "a program inside of an instance could not be run, or its end not be told");
    await say(socket, refusing(refuse("server.failed", "something broke; the server's log has more"))).catch(() => {});
  } finally {
    clearInterval(pings);
    socket.close();
    await sleep(closeMs, undefined, { ref: false });
    socket.terminate();
  }
}

async function converse({ world, socket, caller, stopping }: Session, ear: Ear): Promise<void> {
  const asked = await firstOf(ear, beginMs);
  const begun = isRefusal(asked) ? asked : await begin(world, caller, asked);
  if (isRefusal(begun)) return say(socket, refusing(begun));
  const { programMs, doubtMs } = world.timing;
  const ending = new AbortController();
  const end = (why: Cut) => ending.abort(why);
  const timers = [
    setTimeout(end, programMs, "late" satisfies Cut),
    setInterval(() => void caller.doubt().then((denied) => denied && end("denied")), doubtMs),
  ];
  const stop = () => end("stopped");
  stopping.addEventListener("abort", stop);
  if (stopping.aborted) stop();
  void ear.gone.then(() => end("left"));
  const until = new Date(begun.row.started_at.getTime() + programMs).toISOString();
  try {
    await say(socket, { type: "begun", instance: begun.instance.name, until }).catch(() => {});
    const ended = await run({ world, socket, ear, signal: ending.signal }, begun, asked as BeginProgram);
    await tellEnd(world, begun.row, ended);
    await say(socket, { type: "ended", ...ended }).catch(() => {});
  } finally {
    stopping.removeEventListener("abort", stop);
    for (const timer of timers) clearTimeout(timer);
  }
}

interface Running {
  world: World;
  socket: WebSocket;
  ear: Ear;
  signal: AbortSignal;
}

async function run(
  { world, socket, ear, signal }: Running,
  { row, instance }: Begun,
  { command, terminal }: BeginProgram,
): Promise<End> {
  const program: Program = {
    ...{ command, name: row.id },
    ...(terminal ? { terminal: { ...terminal, onResize: ear.onResize } } : {}),
    feed: (sink) => pipeline(ear.input, sink, { end: false }),
    async take(output) {
      for await (const bytes of output) await send(socket, withStream(outputStream, bytes));
    },
    takeErrors: (bytes) => send(socket, withStream(errorStream, bytes)),
  };
  // Time is kept here, where it is known what ended it.
  const call = { signal, deadlineMs: 2 ** 31 - 1 };
  try {
    const { exitCode } = await world.runtime.exec(instance.id, program, call);
    return { end: "exited", exitCode, reason: null };
  } catch (error) {
    if (signal.aborted || ear.isGone()) {
      const end = signal.aborted ? (signal.reason as Cut) : "left";
      return { end, exitCode: null, reason: words[end] };
    }
    const refused = refusalOf(error);
    if (!refused) throw error;
    return { end: "failed", exitCode: null, reason: refused.message };
  } finally {
    ear.input.destroy();
  }
}

interface Ear {
  /** The program's input, no faster than it is read. */
  input: PassThrough;
  /** Settles with the first text. */
  first: Promise<string>;
  /** Settles when the caller has gone. */
  gone: Promise<void>;
  isGone(): boolean;
  onResize(tell: (size: TerminalSize) => void): void;
}

/** Hears from the first moment on: what nobody listens to is lost. */
function listen(socket: WebSocket): Ear {
  const input = new PassThrough({ highWaterMark: mostInputBytes });
  // It is destroyed when the program has ended; what still comes is nobody's.
  input.on("error", () => {});
  const first = Promise.withResolvers<string>();
  const gone = Promise.withResolvers<void>();
  let [heard, untaken] = [false, 0];
  let resize: (size: TerminalSize) => void = () => {};
  const wrong = (why: string) => socket.close(1008, why);
  const steer = (text: string) => {
    const said = parsed(programSteering, text);
    if (isRefusal(said)) return wrong(said.message.slice(0, 100));
    if (said.type === "end") input.end();
    else resize(said);
  };
  socket.on("message", (data: RawData, isBinary: boolean) => {
    const bytes = data as Buffer;
    if (!isBinary) {
      if (heard) return steer(bytes.toString());
      heard = true;
      return first.resolve(bytes.toString());
    }
    if (!heard || ++untaken > 1) return wrong("send input after `begin`, and each piece once the one before is taken");
    if (input.writableEnded || input.destroyed) return;
    input.write(bytes, () => {
      untaken--;
      say(socket, { type: "taken" }).catch(() => {});
    });
  });
  let closed = false;
  socket.on("close", () => {
    closed = true;
    gone.resolve();
  });
  socket.on("error", () => socket.terminate());
  return { input, first: first.promise, gone: gone.promise, isGone: () => closed, onResize: (tell) => (resize = tell) };
}

async function firstOf({ first, gone }: Ear, waitMs: number): Promise<BeginProgram | Refusal> {
  const late = sleep(waitMs, undefined, { ref: false });
  const text = await Promise.race([first, gone, late]);
  if (typeof text === "string") return parsed(beginProgram, text);
  return refuse("request.invalid", "the first message, which says what to run and why, did not come");
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("request.invalid", "a message is no JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return refuse("request.invalid", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function refusing({ refused: code, ...rest }: Refusal): ProgramNews {
  return { type: "refused", error: { code, ...rest } };
}

const say = (socket: WebSocket, news: ProgramNews) => send(socket, JSON.stringify(news));

/** Settles when it has left this process, so that who waits holds no more than one piece. */
function send(socket: WebSocket, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.send(data, (error) => (error ? reject(error) : resolve())));
}

function withStream(stream: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(stream), bytes]);
}
