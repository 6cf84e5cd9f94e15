/** Artifacts: content first, then its row; the row goes before the content. Both ways hold the digest's lock. */
import { mostArtifacts } from "#api/endpoints/build-records.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import { oldInBatches } from "#kernel/old-in-batches.ts";
import { announce, type Announced, type IntakeDeps, receive } from "./artifact-intake.ts";
import { type ArtifactRow, artifactStore, type FoundArtifact } from "./artifact-store.ts";
import { pathQuery } from "#pipeline/job/artifact.ts";
import type { JobRow } from "../core/rows.ts";

export interface ArtifactQuery {
  query: string;
  step?: string | undefined;
  retried: "true" | "false";
}

export interface Artifacts {
  announce(job: JobRow, file: Announced): ReturnType<typeof announce>;
  receive(artifact: ArtifactRow, content: Parameters<typeof receive>[2]): ReturnType<typeof receive>;
  /** Of each path of a job the newest attempt's, unless all are asked for. */
  find(build: string, query: ArtifactQuery): Promise<FoundArtifact[] | Refusal>;
  /** Removes those of builds that ended before, and content that is nobody's any more. Ends early on the signal. */
  sweep(endedBefore: Date, signal: AbortSignal): Promise<void>;
}

/** Nobody goes on with an upload that rested so long, and no upload in flight has content so old without its row. */
const restingMs = 24 * 60 * 60 * 1000;

export function createArtifacts(given: Omit<IntakeDeps, "lock">): Artifacts {
  const { db, clock, blobs } = given;
  const store = artifactStore(db);
  const lock = createKeyedLock();
  const deps = { ...given, lock };

  async function find(build: string, { query, step, retried }: ArtifactQuery): Promise<FoundArtifact[] | Refusal> {
    const matches = pathQuery(query);
    if (isRefusal(matches)) return matches;
    const seen = new Set<string>();
    const found = (await store.ofBuild(build, step)).filter(({ job, path }) => {
      if (!matches(path)) return false;
      const isFirst = !seen.has(`${job} ${path}`);
      seen.add(`${job} ${path}`);
      return isFirst || retried === "true";
    });
    return found.slice(0, mostArtifacts);
  }

  async function sweep(endedBefore: Date, signal: AbortSignal): Promise<void> {
    const rested = new Date(clock.now().getTime() - restingMs);
    await store.forget(endedBefore, rested);
    for await (const ids of oldInBatches(blobs.uploads(), rested)) {
      if (signal.aborted) return;
      const known = await store.known(ids);
      for (const id of ids) if (!known.has(id)) await blobs.discard(id);
    }
    for await (const digests of oldInBatches(blobs.blobs(), rested)) {
      if (signal.aborted) return;
      const needed = await store.needed(digests);
      for (const digest of digests) if (!needed.has(digest)) await collect(digest);
    }
  }

  const collect = (digest: string) =>
    lock.hold(digest, async () => {
      if (!(await store.needed([digest])).has(digest)) await blobs.remove(digest);
    });

  return {
    announce: (job, file) => announce(deps, job, file),
    receive: (artifact, content) => receive(deps, artifact, content),
    ...{ find, sweep },
  };
}
