/** Artifacts become files of a job again. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Artifact } from "#api/endpoints/build-records.ts";
import { isRefusal } from "#api/errors.ts";
import { isPassing } from "../passing.ts";
import { failureOf, ToolFailure, type ToolJob } from "./command.ts";
import { inParallel } from "./in-parallel.ts";
import { writeFileInside } from "./workspace-files.ts";

export interface Fetching {
  /** Path below the workspace for an artifact. */
  placeOf(artifact: Artifact): string;
  signal: AbortSignal;
  say: (line: string) => Promise<void>;
}

const retryMs = 500;
const atOnce = 4;

/** Throws `ToolFailure` for what cannot be written, or comes in broken. */
export async function fetchFiles(job: ToolJob, artifacts: readonly Artifact[], fetching: Fetching): Promise<void> {
  await inParallel(atOnce, newestOfPaths(artifacts), async (artifact) => {
    const path = fetching.placeOf(artifact);
    const write = (file: FileHandle) => fetchInto(job, artifact, { file, signal: fetching.signal });
    if (!(await writeFileInside(job.workspace, path, write)))
      throw new ToolFailure(`${path} cannot be written: a link or something else is in the way`);
    await fetching.say(`fetched ${path} (${artifact.size} bytes)`);
  });
}

/** Several jobs may have kept the same path: the last word counts. */
function newestOfPaths(artifacts: readonly Artifact[]): Artifact[] {
  const newest = new Map<string, Artifact>();
  for (const artifact of artifacts) {
    const other = newest.get(artifact.path);
    if (!other || other.createdAt <= artifact.createdAt) newest.set(artifact.path, artifact);
  }
  return [...newest.values()];
}

/** Goes on where a broken connection left off; what has come must then be what was kept. */
async function fetchInto(
  { server }: ToolJob,
  artifact: Artifact,
  { file, signal }: { file: FileHandle; signal: AbortSignal },
): Promise<void> {
  const sum = createHash("sha256");
  let at = 0;
  while (at < artifact.size) {
    const bytes = await server.fetch({ id: artifact.id, at }, signal);
    if (isRefusal(bytes)) {
      if (!isPassing(bytes)) throw failureOf(bytes);
      await sleep(retryMs, undefined, { signal });
      continue;
    }
    try {
      for await (const piece of bytes) {
        await file.write(piece, 0, piece.length, at);
        sum.update(piece);
        at += piece.length;
      }
    } catch (error) {
      if (signal.aborted || (error as NodeJS.ErrnoException).code === "ENOSPC") throw error;
    }
  }
  if (`sha256:${sum.digest("hex")}` !== artifact.digest) throw new ToolFailure(`${artifact.path} came in broken`);
}
