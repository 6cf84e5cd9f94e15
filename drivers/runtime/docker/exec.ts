/** Programs inside of instances, with their input and output as streams. */
import type { Duplex } from "node:stream";
import type { Limits } from "#drivers/engine/engine.ts";
import { linesOf, outputOf } from "#drivers/engine/output.ts";
import { type Program, type ProgramResult, RuntimeError } from "../contract.ts";
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
  const streams = { AttachStdin: program.feed !== undefined, AttachStdout: true, AttachStderr: true };
  const path = `/containers/${id}/exec`;
  const body = { ...streams, Cmd: program.command };
  const made = await json<{ Id: string }>(host, { method: "POST", path, body }, limits);
  const { errors, head } = await converse(host, { exec: made.Id, program }, limits);
  const ended = await json<{ ExitCode: number | null }>(host, { method: "GET", path: `/exec/${made.Id}/json` }, limits);
  const lines = linesOf(errors).slice(-errorLines);
  // The engine says so in place of the program, as if it were its output.
  const unknown = /^OCI runtime exec failed.*/.exec(head.toString());
  if (unknown && ended.ExitCode !== 0) throw new RuntimeError("start-failed", `${program.command[0]}: ${unknown[0]}`);
  return { exitCode: ended.ExitCode ?? -1, errors: lines };
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
  const body = { Detach: false, Tty: false };
  const socket = await host.engine
    .attach({ method: "POST", path: `/exec/${id}/start`, body }, limits)
    .catch((error: unknown) => {
      throw noSuchProgram(translate(error), program);
    });
  const errors = keepLast(mostErrorBytes);
  let head = Buffer.alloc(0);
  async function* remember(output: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const bytes of output) {
      if (head.length < headBytes) head = Buffer.concat([head, bytes.subarray(0, headBytes)]);
      yield bytes;
    }
  }
  try {
    const fed = feed(socket, program);
    await (program.take ?? drop)(remember(outputOf(socket, errors.add)));
    await fed;
  } catch (error) {
    // The engine hangs up when a program ends before it has read all of its input.
    if (!program.feed || !isHangUp(error)) throw translate(error);
  } finally {
    socket.destroy();
  }
  return { errors: errors.bytes(), head };
}

function keepLast(most: number) {
  let kept = Buffer.alloc(0);
  return { add: (bytes: Buffer) => void (kept = Buffer.concat([kept, bytes]).subarray(-most)), bytes: () => kept };
}

const isHangUp = (error: unknown) => ["EPIPE", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Never rejects: where the input could not be written, the output has ended or its reading says why. */
async function feed(socket: Duplex, { feed: write }: Program): Promise<void> {
  if (!write) return;
  try {
    await write(socket);
    socket.end();
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
