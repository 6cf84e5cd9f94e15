/** Programs inside of instances, with their input and output as streams. */
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Limits } from "#drivers/engine/engine.ts";
import { linesOf, outputOf } from "#drivers/engine/output.ts";
import { type Program, type ProgramResult, RuntimeError, type Terminal, type TerminalSize } from "../contract.ts";
import { translate } from "./failure.ts";
import { type Host, json, missing, own } from "./host.ts";

const mostErrorBytes = 64 * 1024;
const headBytes = 512;
const errorLines = 50;

export async function exec(
  host: Host,
  { id, program }: { id: string; program: Program },
  limits: Limits,
): Promise<ProgramResult> {
  const instance = await own(host, id, limits);
  if (instance?.state !== "running") throw missing(id);
  return execIn(host, { id, program }, limits);
}

/** In a container that is known to be one of the installation's. */
export async function execIn(
  host: Host,
  { id, program }: { id: string; program: Program },
  limits: Limits,
): Promise<ProgramResult> {
  const name = program.name ?? randomUUID();
  const streams = { AttachStdin: program.feed !== undefined, AttachStdout: true, AttachStderr: true };
  const path = `/containers/${id}/exec`;
  const body = { ...streams, Tty: program.terminal !== undefined, Cmd: program.command, Env: [`${mark}=${name}`] };
  const made = await json<{ Id: string }>(host, { method: "POST", path, body }, limits);
  const { errors, head } = await converse(host, { exec: made.Id, program }, limits).catch(async (error: unknown) => {
    await giveUp(host, { id, name, exec: made.Id }).catch(() => {});
    throw error;
  });
  const ended = await look(host, made.Id, limits);
  const lines = linesOf(errors).slice(-errorLines);
  // The engine says so in place of the program, as if it were its output.
  const unknown = /^OCI runtime exec failed.*/.exec(head.toString());
  if (unknown && ended.ExitCode !== 0) throw new RuntimeError("start-failed", `${program.command[0]}: ${unknown[0]}`);
  return { exitCode: ended.ExitCode ?? -1, errors: lines };
}

const look = (host: Host, exec: string, limits: Limits) =>
  json<{ ExitCode: number | null }>(host, { method: "GET", path: `/exec/${exec}/json` }, limits);

const killMs = 30_000;
const [lateStarts, lateStartMs] = [5, 200];

/** Until it has ended: the engine may still be starting what its caller no longer waits for. One that has not begun by then never was asked for. */
async function giveUp(host: Host, { id, name, exec }: { id: string; name: string; exec: string }): Promise<void> {
  for (let tries = 0; tries < lateStarts; tries++) {
    await endIn(host, { id, name }, { deadlineMs: killMs });
    if ((await look(host, exec, { deadlineMs: killMs })).ExitCode !== null) return;
    await sleep(lateStartMs);
  }
}

/** A variable that a program and all that it starts have; by it they are found again. */
const mark = "TOWLINE_PROGRAM";

/** Only what every shell has built in: an image need have no `grep`, `ps` or `pkill`. */
const killing = `for p in /proc/[0-9]*; do
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *${mark}="$1"*) kill -KILL "\${p#/proc/}" ;; esac
  done 2>/dev/null <"$p/environ"
done`;

export async function endProgram(
  host: Host,
  { id, name }: { id: string; name: string },
  limits: Limits,
): Promise<void> {
  if ((await own(host, id, limits))?.state === "running") await endIn(host, { id, name }, limits);
}

export async function endIn(host: Host, { id, name }: { id: string; name: string }, limits: Limits): Promise<void> {
  const path = `/containers/${id}/exec`;
  const body = { AttachStdout: true, AttachStderr: true, Cmd: ["sh", "-c", killing, "sh", name] };
  const made = await json<{ Id: string }>(host, { method: "POST", path, body }, limits);
  const program = { command: ["sh"] };
  await converse(host, { exec: made.Id, program }, limits).catch((error: unknown) => {
    if (!(error instanceof RuntimeError && error.code === "start-failed")) throw error;
  });
}

interface Said {
  /** The end of what it wrote as errors. */
  errors: Buffer;
  /** The beginning of its output. */
  head: Buffer;
}

/** A program that ends without having read its input is judged by its exit code. */
async function converse(
  host: Host,
  { exec: id, program }: { exec: string; program: Program },
  limits: Limits,
): Promise<Said> {
  const { terminal, takeErrors } = program;
  const body = { Detach: false, Tty: terminal !== undefined };
  const socket = await host.engine
    .attach({ method: "POST", path: `/exec/${id}/start`, body }, limits)
    .catch((error: unknown) => {
      throw noSuchProgram(translate(error), program);
    });
  const errors = keepLast(mostErrorBytes);
  const hear = async (bytes: Buffer) => {
    errors.add(bytes);
    await takeErrors?.(bytes);
  };
  let head = Buffer.alloc(0);
  async function* remember(output: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const bytes of output) {
      if (head.length < headBytes) head = Buffer.concat([head, bytes.subarray(0, headBytes)]);
      yield bytes;
    }
  }
  try {
    const fed = begin(host, { exec: id, terminal }, limits).then(() => feed(socket, program));
    await (program.take ?? drop)(remember(terminal ? socket : outputOf(socket, hear)));
    // It has ended; who still waits for something to feed it with is told.
    socket.destroy();
    await fed;
  } catch (error) {
    // The engine hangs up when a program ends before it has read all of its input.
    if (!program.feed || !isHangUp(error)) throw translate(error);
  } finally {
    socket.destroy();
  }
  return { errors: errors.bytes(), head };
}

interface At {
  exec: string;
  terminal: Terminal | undefined;
}

/** A terminal gets its size before its first input. */
async function begin(host: Host, { exec: id, terminal }: At, limits: Limits): Promise<void> {
  if (!terminal) return;
  let told = resize(host, { exec: id, size: terminal }, limits);
  terminal.onResize?.((size) => {
    told = told.then(() => resize(host, { exec: id, size }, limits));
  });
  await told;
}

const resizeTries = 50;
const resizePauseMs = 20;

/** The engine takes no size before the program has begun, and does not tell when it has. One that it never takes is not worth an end. */
async function resize(
  host: Host,
  { exec: id, size }: { exec: string; size: TerminalSize },
  limits: Limits,
): Promise<void> {
  const request = { method: "POST" as const, path: `/exec/${id}/resize`, query: { h: size.rows, w: size.columns } };
  for (let tries = 0; tries < resizeTries && !limits.signal?.aborted; tries++) {
    const taken = await json(host, request, limits).then(
      () => true,
      () => false,
    );
    if (taken) return;
    await sleep(resizePauseMs);
  }
}

function keepLast(most: number) {
  let kept = Buffer.alloc(0);
  return { add: (bytes: Buffer) => void (kept = Buffer.concat([kept, bytes]).subarray(-most)), bytes: () => kept };
}

const isHangUp = (error: unknown) => ["EPIPE", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Never rejects: where the input could not be written, the output has ended or its reading says why. */
async function feed(socket: Duplex, { feed: write, terminal }: Program): Promise<void> {
  if (!write) return;
  try {
    await write(socket);
    if (!terminal) socket.end();
  } catch (error) {
    // A source that fails must not look like the end of the input.
    if (!socket.destroyed && !socket.readableEnded) socket.destroy(error as Error);
  }
}

async function drop(output: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of output);
}

function noSuchProgram(error: unknown, { command }: Program): unknown {
  if (!(error instanceof RuntimeError) || !/executable file not found|no such file or directory/i.test(error.message))
    return error;
  return new RuntimeError("start-failed", `${command[0]} could not run: ${error.message}`, { cause: error });
}
