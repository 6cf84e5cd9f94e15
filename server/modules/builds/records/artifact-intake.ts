/** How the content of artifacts comes in: announced, sent in as many parts as it takes, and there only when it is whole. */
import { BlobError, type Blobs } from "#drivers/blobs/contract.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import { type Database, notify } from "#kernel/database.ts";
import type { KeyedLock } from "#kernel/keyed-lock.ts";
import { changeOfBuild } from "../channels.ts";
import { type ArtifactRow, artifactStore } from "./artifact-store.ts";
import { mostOfJob, refuseArtifact, tooMany } from "#pipeline/job/artifact.ts";
import type { JobRow } from "../core/rows.ts";
import { freeDisk } from "../logs/job-logs.ts";

export interface IntakeDeps {
  db: Database;
  clock: Clock;
  blobs: Blobs;
  /** Bytes that stay free on the disk. */
  diskFloor: number;
  /** Held on a digest while its content and its rows are brought in step. */
  lock: KeyedLock;
}

export type Announced = Pick<ArtifactRow, "path" | "size" | "sha1" | "digest"> & { contentType: string };

const complete = (db: Database, row: ArtifactRow) =>
  db.transaction().execute(async (tx) => {
    await artifactStore(tx).complete(row);
    await notify(tx, changeOfBuild(row.build));
  });

/** Takes note of a file; answers at which byte its content is wanted, null when it is here already. */
export async function announce(
  { db, clock, blobs, diskFloor, lock }: IntakeDeps,
  job: JobRow,
  file: Announced,
): Promise<{ id: string; at: number | null } | Refusal> {
  const refused = refuseArtifact(file);
  if (refused) return refused;
  const store = artifactStore(db);
  const row = rowOf(job, file, clock.now());
  const before = await store.announced(row);
  if (before) return { id: before.id, at: await blobs.uploadSize(before.id) };
  if ((await store.countOfJob(job.id)) >= mostOfJob) return tooMany();
  if ((await blobs.free()) - row.size < diskFloor)
    return refuse("disk.full", `the disk has no room for ${row.size} bytes above the floor`, { fix: freeDisk });
  await store.insert(row);
  const isHere = await lock.hold(row.digest, async () => {
    if ((await blobs.size(row.digest)) !== row.size) return false;
    await complete(db, row);
    return true;
  });
  return { id: row.id, at: isHere ? null : 0 };
}

function rowOf(job: JobRow, { contentType: content_type, ...file }: Announced, at: Date): ArtifactRow {
  const { path, size, sha1, digest } = file;
  return {
    ...{ id: newId(), build: job.build, job: job.id, attempt: job.attempt, path, size, sha1, digest, content_type },
    ...{ complete: false, created_at: at },
  };
}

/** Takes content from the byte on; answers how much of it is here then. What arrived stays when the source breaks off. */
export async function receive(
  deps: IntakeDeps,
  row: ArtifactRow,
  { at, source }: { at: number; source: AsyncIterable<Uint8Array> },
): Promise<{ size: number } | Refusal> {
  const { blobs, lock } = deps;
  return lock.hold(row.id, async (): Promise<{ size: number } | Refusal> => {
    if (row.complete) return { size: row.size };
    const append = { upload: row.id, at, source: noMoreThan(row.size - at, source) };
    const size = await blobs.append(append).catch((error: unknown) => giveUp(deps, row, error));
    if (isRefusal(size) || size < row.size) return isRefusal(size) ? size : { size };
    return finish(deps, row).catch((error: unknown) => giveUp(deps, row, error));
  });
}

function finish({ db, blobs, lock }: IntakeDeps, row: ArtifactRow): Promise<{ size: number }> {
  return lock.hold(row.digest, async () => {
    const size = await blobs.commit(row.id, row.digest);
    await complete(db, row);
    return { size };
  });
}

/** The refusal for what the driver does not take; but for a wrong place to go on, the upload is gone then. */
async function giveUp({ db, blobs }: IntakeDeps, row: ArtifactRow, error: unknown): Promise<Refusal> {
  if (!(error instanceof BlobError) && !(error instanceof TooLong)) throw error;
  if (error instanceof BlobError && error.code === "wrong-offset")
    return refuse("conflict", error.message, { details: { at: await blobs.uploadSize(row.id) } });
  await blobs.discard(row.id);
  await artifactStore(db).remove(row.id);
  if (error instanceof BlobError && error.code === "disk-full")
    return refuse("disk.full", error.message, { fix: freeDisk });
  const fix = "Keep it when nothing writes to it any more.";
  return refuse("artifact.changed", `${row.path} changed while it was sent`, { fix });
}

class TooLong extends Error {}

async function* noMoreThan(room: number, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let left = room;
  for await (const bytes of source) {
    left -= bytes.length;
    if (left < 0) throw new TooLong();
    yield bytes;
  }
}
