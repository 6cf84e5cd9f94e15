/** What crashes, lost connections and given-up pushes leave behind. */
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import { oldInBatches } from "#kernel/old-in-batches.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import type { ImageStore } from "./store.ts";

interface Deps {
  store: ImageStore;
  blobs: Blobs;
  shelf: BlobShelf;
  clock: Clock;
}

/** Nobody carries on an upload that rested so long, and no push in flight has content so old without its row. */
const restingMs = 24 * 60 * 60 * 1000;

/** Removes uploads that rested for a day, layers that no manifest needs any more, and content without a row in the books. Ends early on the signal. */
export async function sweepLeftovers({ store, blobs, shelf, clock }: Deps, signal: AbortSignal): Promise<void> {
  const before = new Date(clock.now().getTime() - restingMs);
  for (const id of await store.uploads.stale(before)) {
    await blobs.discard(id);
    await store.uploads.delete(id);
  }
  for (const { repository, digest } of await store.blobs.unreferenced(before)) {
    if (signal.aborted) return;
    await shelf.remove(repository, digest);
  }
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
