import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { BlobShelf } from "../blob-shelf.ts";
import { upstreamStore } from "./upstream-store.ts";

interface Deps {
  db: Database;
  clock: Clock;
  shelf: BlobShelf;
  /** So long unused, and it goes. */
  days: number;
}

/** Takes away what nobody has used for long; ends early on the signal. */
export async function sweepCache({ db, clock, shelf, days }: Deps, signal: AbortSignal): Promise<void> {
  const store = upstreamStore(db);
  const before = new Date(clock.now().getTime() - days * 24 * 60 * 60 * 1000);
  while (!signal.aborted && (await store.unusedManifests(before)).length > 0);
  for (let removed = 1; removed > 0;) {
    removed = 0;
    for (const { repository, digest } of await store.unusedBlobs(before)) {
      if (signal.aborted) return;
      if ((await shelf.remove(repository, digest, before)) === true) removed += 1;
    }
  }
}
