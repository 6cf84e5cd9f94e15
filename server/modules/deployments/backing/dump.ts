/** A dump of a backing service into the store, and out of it, by the tools of its image; never held in memory. */
import { createHash } from "node:crypto";
import { refuse, RefusalError } from "#api/errors.ts";
import { BlobError } from "#drivers/blobs/contract.ts";
import { type Instance, type Program, type ProgramResult, RuntimeError } from "#drivers/runtime/contract.ts";
import type { DumpTools } from "#pipeline/backing-defaults.ts";
import { mask, withTail, type World } from "../steps/step.ts";
import type { At, WorkRow } from "./backing-store.ts";

/** Bytes between two looks at the room on the disk. */
const lookEvery = 32 * 1024 * 1024;
const longestMs = 24 * 60 * 60_000;

interface From {
  work: Pick<WorkRow, "id" | "environment" | "name">;
  instance: Instance;
  tools: DumpTools;
  /** Told from time to time how much has come. */
  progress: (size: number) => Promise<unknown>;
  signal: AbortSignal;
}

/** Dumps it; refuses, by a throw, what is no dump. Nothing of it stays then. */
export async function dumpTo(
  world: World,
  { work, instance, tools, progress, signal }: From,
): Promise<{ digest: string; size: number }> {
  const { backups } = world;
  await backups.discard(work.id);
  await checkRoom(world);
  const sum = createHash("sha256");
  let head = Buffer.alloc(0);
  async function* watched(output: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let [size, looked] = [0, 0];
    for await (const bytes of output) {
      sum.update(bytes);
      if (head.length < 16) head = Buffer.concat([head, bytes]).subarray(0, 16);
      size += bytes.length;
      if (size - looked >= lookEvery) {
        looked = size;
        await checkRoom(world);
        await progress(size);
      }
      yield bytes;
    }
  }
  try {
    const take = async (output: AsyncIterable<Uint8Array>) =>
      void (await backups.append({ upload: work.id, at: 0, source: watched(output) }));
    await runTool(world, { at: work, instance, program: { command: tools.backup, take }, signal });
    if (head.length === 0) throw refused(`the backup of ${work.name} wrote nothing`);
    if (tools.magic !== undefined && !head.toString("latin1").startsWith(tools.magic))
      throw refused(`what the backup of ${work.name} wrote is no dump of the format ${tools.format}`);
    const digest = `sha256:${sum.digest("hex")}`;
    return { digest, size: await backups.commit(work.id, digest) };
  } catch (error) {
    await backups.discard(work.id);
    throw error instanceof BlobError && error.code === "disk-full" ? noRoom() : error;
  }
}

interface Into {
  at: At;
  instance: Instance;
  tools: DumpTools;
  digest: string;
  signal: AbortSignal;
}

/** Feeds a dump to the instance. */
export async function restoreFrom(world: World, { at, instance, tools, digest, signal }: Into): Promise<void> {
  const content = await world.backups.read(digest);
  if (!content) throw refused("the content of the backup is gone from the disk");
  const program = { command: tools.restore, feed: content.copyTo.bind(content) };
  await runTool(world, { at, instance, program, signal });
}

interface Run {
  at: At;
  instance: Instance;
  program: Program;
  signal: AbortSignal;
}

async function runTool(world: World, { at, instance, program, signal }: Run): Promise<void> {
  const result = await world.runtime.exec(instance.id, program, { signal, deadlineMs: longestMs }).catch((error) => {
    if (error instanceof RuntimeError && error.code === "start-failed")
      throw refused(`the image ${instance.image} has no such program: ${error.message}`);
    throw error;
  });
  if (result.exitCode !== 0) throw refused(await failureOf(world, at, { program, result }));
}

async function failureOf(
  { fleet }: World,
  { environment, name }: At,
  { program, result }: { program: Program; result: ProgramResult },
): Promise<string> {
  const password = await fleet.backingPassword(environment, name);
  const said = mask(result.errors, [password]);
  const missing = result.exitCode === 127 ? ": the image lacks a program" : "";
  return withTail(`${toolName(program.command)} of ${name} ended with ${result.exitCode}${missing}`, said);
}

/** `pg_dump` of a line for the shell. */
function toolName(command: readonly string[]): string {
  const line = command.at(-1) ?? "";
  return /exec (\S+)/.exec(line)?.[1] ?? command[0] ?? "";
}

async function checkRoom({ backups, diskFloor }: World): Promise<void> {
  if ((await backups.free()) < diskFloor) throw noRoom();
}

function noRoom(): RefusalError {
  return new RefusalError(refuse("disk.full", "the disk has no room for the backup"));
}

function refused(message: string): RefusalError {
  return new RefusalError(refuse("conflict", message));
}
