/**
 * What crashes, lost connections and given-up pushes leave behind, and what nothing leads to any more. It runs beside pushes:
 * whatever it takes, it looks at once more in the transaction that takes it.
 */
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { oldInBatches } from "#kernel/old-in-batches.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import { leaseMs } from "./core/lease.ts";
import { imageStore, type ImageStore } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  store: ImageStore;
  blobs: Blobs;
  shelf: BlobShelf;
  clock: Clock;
}

/** Everything whose lease is over: uploads, tags and manifests, layers, and content without a row in the books. Ends early on the signal. */
export async function sweepLeftovers(deps: Deps, signal: AbortSignal): Promise<void> {
  const before = new Date(deps.clock.now().getTime() - leaseMs);
  await sweepUploads(deps, before);
  await sweepTags(deps, before);
  await sweepManifests(deps, before, signal);
  await sweepBlobs(deps, before, signal);
  await sweepStrays(deps, before, signal);
}

async function sweepUploads({ store, blobs }: Deps, before: Date): Promise<void> {
  for (const id of await store.uploads.stale(before)) {
    await blobs.discard(id);
    await store.uploads.delete(id);
  }
}

async function sweepTags({ db, emit, store }: Deps, before: Date): Promise<void> {
  for (const { repository, tag } of await store.garbage.tags(before))
    await db.transaction().execute(async (tx) => {
      if (await imageStore(tx).garbage.deleteTag(repository, tag, before))
        await tell({ emit, tx }, { repository, tag });
    });
}

async function sweepManifests({ db, emit, store }: Deps, before: Date, signal: AbortSignal): Promise<void> {
  for (let deleted = 1; deleted > 0;) {
    deleted = 0;
    const waiting = await store.garbage.manifests(before);
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (signal.aborted) return;
      const { repository, digest } = next;
      const held = await db.transaction().execute(async (tx) => {
        const { garbage } = imageStore(tx);
        const digests = await garbage.heldBy(repository, digest);
        if (!(await garbage.deleteManifest(repository, digest, before))) return undefined;
        await tell({ emit, tx }, { repository, digest });
        return digests;
      });
      if (!held) continue;
      deleted += 1;
      // At once, for the other way is a look at all manifests for each level of a chain.
      waiting.push(...held.map((each) => ({ repository, digest: each })));
    }
  }
}

async function sweepBlobs({ store, shelf }: Deps, before: Date, signal: AbortSignal): Promise<void> {
  for (let deleted = 1; deleted > 0;) {
    deleted = 0;
    for (const { repository, digest } of await store.garbage.blobs(before)) {
      if (signal.aborted) return;
      if ((await shelf.remove(repository, digest, before)) === true) deleted += 1;
    }
  }
}

async function sweepStrays({ store, blobs, shelf }: Deps, before: Date, signal: AbortSignal): Promise<void> {
  const unknown = async (keys: string[], known: (keys: string[]) => Promise<string[]>) => {
    const kept = new Set(await known(keys));
    return keys.filter((key) => !kept.has(key));
  };
  for await (const ids of oldInBatches(blobs.uploads(), before)) {
    if (signal.aborted) return;
    for (const id of await unknown(ids, store.uploads.known)) await blobs.discard(id);
  }
  for await (const digests of oldInBatches(blobs.blobs(), before)) {
    if (signal.aborted) return;
    for (const digest of await unknown(digests, store.blobs.known)) await shelf.collect(digest);
  }
}

async function tell(
  { emit, tx }: { emit: Emit; tx: Tx },
  what: { repository: string; tag: string } | { repository: string; digest: string },
): Promise<void> {
  await emit(tx, `images:${what.repository}`, "images.manifest-deleted", { ...what, actor: "towline" });
}
