/** Files of a job become artifacts: summed up, announced, and sent until the server has all of each. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { isPassing, untilAnswered } from "../passing.ts";
import type { ToolJob } from "./command.ts";
import { type FoundFile, findFiles } from "./find-files.ts";
import { inParallel } from "./in-parallel.ts";
import { mediaTypeOf } from "./media-types.ts";
import { openFile } from "./workspace-files.ts";

export interface Keeping {
  /** Folder in which the patterns are meant, as the job sees it. */
  folder: string;
  /** Globs; `to` names the one file that is meant otherwise. */
  wanted: readonly { from: string; to?: string }[];
  /** Of all of them; by the names where it is not given. */
  contentType?: string | undefined;
  signal: AbortSignal;
  say: (line: string) => Promise<void>;
}

const atOnce = 4;

/** Answers how many were kept, or the first refusal. A pattern that means no file is said, and no fault. */
export async function keepFiles(job: ToolJob, keeping: Keeping): Promise<number | Refusal> {
  const files = new Map<string, FoundFile>();
  for (const { from, to } of keeping.wanted) {
    const found = await findFiles(job.workspace, keeping.folder, from);
    if ("problem" in found) return refuse("artifact.invalid", found.problem);
    if (found.length === 0) await keeping.say(`no file is meant by ${from}`);
    for (const { path, name } of found) files.set(path, { path, name: to ?? name });
  }
  let kept = 0;
  let refused: Refusal | undefined;
  await inParallel(atOnce, files.values(), async (file) => {
    if (refused || keeping.signal.aborted) return;
    const answer = await keepFile(job, keeping, file);
    if (isRefusal(answer)) refused ??= answer;
    else if (answer) kept++;
  });
  return refused ?? kept;
}

async function keepFile(job: ToolJob, keeping: Keeping, { path, name }: FoundFile): Promise<boolean | Refusal> {
  const opened = await openFile(job.workspace, path);
  if (!opened) {
    await keeping.say(`${name} is no file of the workspace`);
    return false;
  }
  await using file = opened;
  const sums = await sumUp(file);
  const body = { path: name, ...sums, contentType: keeping.contentType ?? mediaTypeOf(name) };
  await keeping.say(`keeping ${name} (${sums.size} bytes)`);
  return await send(job, keeping, { file, body });
}

interface Sums {
  size: number;
  sha1: string;
  digest: string;
}

async function sumUp(file: FileHandle): Promise<Sums> {
  const [sha1, sha256] = [createHash("sha1"), createHash("sha256")];
  let size = 0;
  for await (const bytes of bytesFrom(file, 0)) {
    sha1.update(bytes);
    sha256.update(bytes);
    size += bytes.length;
  }
  return { size, sha1: sha1.digest("hex"), digest: `sha256:${sha256.digest("hex")}` };
}

const retryMs = 500;
const pieceBytes = 256 * 1024;

async function* bytesFrom(file: FileHandle, start: number): AsyncIterable<Buffer> {
  for (let position = start; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Goes on where the server stands, as often as the connection breaks. */
async function send(
  { client, server }: ToolJob,
  { signal }: Keeping,
  { file, body }: { file: FileHandle; body: Sums & { path: string; contentType: string } },
): Promise<boolean | Refusal> {
  for (;;) {
    const announced = await untilAnswered(() => client.createArtifact({ body }), signal);
    if (!announced) return false;
    if (isRefusal(announced)) return announced;
    const { id, at } = announced;
    if (at === null) return true;
    const answer = await server.send({ id, at, bytes: bytesFrom(file, at) }, signal);
    if (isRefusal(answer) && !isPassing(answer) && answer.refused !== "conflict") return answer;
    if (!isRefusal(answer) && answer.size === body.size) return true;
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}
