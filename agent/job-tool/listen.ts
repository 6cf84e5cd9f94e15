/** The agent's end of a job's socket: one connection a call, each served by itself. */
import { once } from "node:events";
import { chmod, open, rename } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createFrameReader, FrameError, type Hello, readHello, type ToolFrame, writeFrame } from "./frames.ts";

/** One call of the tool. */
export interface ToolCall extends Hello {
  /** All of standard input; it is read only when somebody asks. Throws `InputTooLarge`. */
  input(limit: number): Promise<Buffer>;
  /** Awaiting them lets a slow reader slow the agent down, not its memory. */
  out(bytes: string | Uint8Array): Promise<void>;
  err(text: string): Promise<void>;
  /** The caller has gone, or the job ends. */
  signal: AbortSignal;
}

/** Answers a call with its exit status. */
export type Answer = (call: ToolCall) => Promise<number>;

export class InputTooLarge extends Error {
  constructor(limit: number) {
    super(`standard input has more than ${limit} bytes`);
  }
}

export interface ListenOptions {
  /** Folder for the socket. */
  folder: string;
  answer: Answer;
  /** How long a connection may take to say what it wants; default 10 s. */
  helloMs?: number;
  /** Calls of one job at a time; default 64. */
  mostCalls?: number;
}

export const socketName = "agent.sock";

/** Listens until disposed, which ends every call that is open. */
export async function listenForTool(options: ListenOptions): Promise<AsyncDisposable> {
  const { folder, answer, helloMs = 10_000, mostCalls = 64 } = options;
  const path = join(folder, socketName);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    if (sockets.size > mostCalls)
      return refuseCall(socket, `the job has ${mostCalls} calls open; wait for some to end`);
    serveCall(socket, answer, helloMs);
  });
  await listen(server, folder);
  // Whoever runs in the job's container may call; on this machine nobody else gets into the agent's folder.
  await chmod(`${path}.new`, 0o666);
  // In place of one that an earlier start of the agent left: a caller that comes now finds the one or the other.
  await rename(`${path}.new`, path);
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Of a socket's path Linux takes 107 bytes; by way of the open folder it is short wherever that lies. */
async function listen(server: ReturnType<typeof createServer>, folder: string): Promise<void> {
  await using opened = await open(folder, "r");
  const short = process.platform === "linux" ? `/proc/self/fd/${opened.fd}` : folder;
  server.listen(join(short, `${socketName}.new`));
  await once(server, "listening");
}

function serveCall(socket: Socket, answer: Answer, helloMs: number): void {
  const gone = new AbortController();
  const input = createInput(socket);
  const reader = createFrameReader();
  const tooSlow = setTimeout(() => socket.destroy(), helloMs);
  let greeted = false;
  socket.on("close", () => {
    clearTimeout(tooSlow);
    gone.abort();
    input.end();
  });
  const take = ({ kind, bytes }: ToolFrame) => {
    if (kind === "H") {
      if (greeted) throw new FrameError("greeted twice");
      greeted = true;
      clearTimeout(tooSlow);
      void runCall(socket, answer, {
        ...readHello(bytes),
        ...toolEnds(socket),
        input: input.read,
        signal: gone.signal,
      });
    } else input.take(kind, bytes);
  };
  socket.on("data", (bytes: Buffer) => {
    try {
      reader.push(bytes).forEach(take);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      socket.destroy();
    }
  });
}

async function runCall(socket: Socket, answer: Answer, call: ToolCall): Promise<void> {
  const status = await answer(call).catch(async (error: unknown) => {
    await call.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
  if (!socket.destroyed) socket.end(writeFrame("X", Buffer.from([status & 0xff])));
}

function refuseCall(socket: Socket, why: string): void {
  socket.write(writeFrame("E", Buffer.from(`towline-agent: ${why}\n`)));
  socket.end(writeFrame("X", Buffer.from([1])));
  socket.resume();
}

function toolEnds(socket: Socket): Pick<ToolCall, "out" | "err"> {
  const send = async (kind: "O" | "E", bytes: Uint8Array) => {
    if (socket.destroyed || bytes.length === 0) return;
    if (!socket.write(writeFrame(kind, bytes))) await untilDrained(socket);
  };
  const bytesOf = (given: string | Uint8Array) => (typeof given === "string" ? Buffer.from(given) : given);
  return { out: (given) => send("O", bytesOf(given)), err: (text) => send("E", Buffer.from(text)) };
}

/** Or until it is closed. Leaves no listener behind: a slow reader is waited for again and again. */
function untilDrained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

/** Standard input, of which a caller may send no more than was asked for. */
function createInput(socket: Socket) {
  const pieces: Buffer[] = [];
  const whole = Promise.withResolvers<Buffer>();
  whole.promise.catch(() => {});
  let room: number | undefined;
  let limit = 0;
  return {
    read(most: number): Promise<Buffer> {
      if (room !== undefined) return whole.promise;
      room = limit = most;
      socket.write(writeFrame("I", Buffer.alloc(0)));
      return whole.promise;
    },
    take(kind: "D" | "F", bytes: Buffer): void {
      if (room === undefined) throw new FrameError("nobody asked for input");
      if (kind === "F") return whole.resolve(Buffer.concat(pieces));
      room -= bytes.length;
      if (room < 0) return whole.reject(new InputTooLarge(limit));
      pieces.push(bytes);
    },
    end: () => whole.reject(new Error("the caller has gone")),
  };
}
