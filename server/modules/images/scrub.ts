/** Every blob read and held against its digest, and the books held against the disk, a little at a time. */
import type { CallOutput } from "#api/endpoint.ts";
import type { imageEndpoints } from "#api/endpoints/images.ts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Log } from "#kernel/log.ts";
import { oldInBatches } from "#kernel/old-in-batches.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import { leaseMs } from "./core/lease.ts";
import type { Damage } from "./examine-blob.ts";
import type { ImageStore } from "./store.ts";

export interface ScrubDeps {
  store: ImageStore;
  blobs: Blobs;
  shelf: BlobShelf;
  clock: Clock;
  log: Log;
}

type Part = CallOutput<typeof imageEndpoints.scrubImages>;
type Hurt = Part["hurt"][number];

/** One part takes about so long, and a blob that takes longer is read to its end. */
const partMs = 2_000;
const pageSize = 200;
const straysAtMost = 1000;

/** Goes on behind the digest `after`; the last part looks for files that no row knows, too. */
export async function scrubPart(deps: ScrubDeps, after: string, signal: AbortSignal): Promise<Part> {
  const part: Part = { total: await deps.store.scrub.total(), checked: { blobs: 0, bytes: 0 }, next: null, hurt: [] };
  const began = deps.clock.now().getTime();
  let last = after;
  for (;;) {
    const page = await deps.store.scrub.page(last, pageSize);
    if (page.length === 0) break;
    for (const blob of page) {
      const damage = await deps.shelf.examine(blob);
      if (damage) part.hurt.push(await tell(deps, blob, damage));
      part.checked.blobs += 1;
      part.checked.bytes += blob.size;
      last = blob.digest;
      if (signal.aborted || deps.clock.now().getTime() - began >= partMs) return { ...part, next: last };
    }
  }
  part.hurt.push(...(await strays(deps)));
  return part;
}

async function tell({ store, log }: ScrubDeps, blob: { digest: string; size: number }, damage: Damage): Promise<Hurt> {
  const { digest, size } = blob;
  const leads = await store.scrub.leads(digest);
  log.warn({ digest, size, ...damage, repositories: leads.map(({ repository }) => repository) }, "a blob is damaged");
  return { digest, size, ...damage, leads };
}

/** Files that no row knows, and that have lain too long to be of a push under way. */
async function strays({ store, blobs, clock }: ScrubDeps): Promise<Hurt[]> {
  const before = new Date(clock.now().getTime() - leaseMs);
  const found: Hurt[] = [];
  for await (const digests of oldInBatches(blobs.blobs(), before)) {
    const known = new Set(await store.blobs.known(digests));
    for (const digest of digests)
      if (!known.has(digest) && found.length < straysAtMost)
        found.push({ digest, size: (await blobs.size(digest)) ?? 0, what: "stray", leads: [] });
  }
  return found;
}
