/**
 * Blobs in the books and on the disk, kept in step. Content comes before its row and goes after it; both ways hold the digest's
 * lock, so that a blob that is pushed again while it goes is not taken away.
 */
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import { together } from "#kernel/together.ts";
import { type Damage, examineBlob } from "./examine-blob.ts";
import { isStillNeeded } from "./still-needed.ts";
import type { BookedBlob } from "./scrub-store.ts";
import { imageStore } from "./store.ts";

export interface BlobShelf {
  /** Makes the upload a blob that the repository shows; throws the driver's `BlobError`. */
  commit(upload: { id: string; repository: string }, digest: string): Promise<void>;
  /**
   * The repository shows the blob no more; "needed" while one of its manifests needs it, false when it did not show it, or leased
   * it to a push after `unleasedSince`.
   */
  remove(repository: string, digest: string, unleasedSince?: Date): Promise<boolean | "needed">;
  /** A blob that the repository shows and that is whole in the books and on the disk: who hears that it is there does not bring it again. */
  find(repository: string, digest: string): Promise<{ size: number; leased_at: Date } | undefined>;
  /** Takes the content away when no repository shows it. */
  collect(digest: string): Promise<void>;
  /** Reads the blob; while it is damaged it is not shown, and has to be pushed again. Undefined when it is whole, or gone. */
  examine(blob: BookedBlob): Promise<Damage | undefined>;
}

export function createBlobShelf({ db, blobs, clock }: { db: Database; blobs: Blobs; clock: Clock }): BlobShelf {
  const store = imageStore(db);
  const lock = createKeyedLock();

  // Clients ask for all layers of an image at once, and many clients for those of one.
  const shownAs = together(async (repository, digests: string[]) => {
    const found = await store.blobs.find(repository, [...new Set(digests)]);
    const byDigest = new Map(found.map((each) => [each.digest, each]));
    return digests.map((digest) => byDigest.get(digest));
  });

  const collect = (digest: string) =>
    lock.hold(digest, async () => {
      await store.blobs.deleteUnlinked(digest).catch((error: unknown) => {
        // Mounted this moment.
        if (!isStillNeeded(error)) throw error;
      });
      const [known] = await store.blobs.known([digest]);
      if (!known) await blobs.remove(digest);
    });

  return {
    commit: ({ id, repository }, digest) =>
      lock.hold(digest, async () => {
        const size = await blobs.commit(id, digest);
        await store.blobs.commit({ upload: id, repository, digest, size, now: clock.now() });
      }),
    async remove(repository, digest, unleasedSince) {
      try {
        const removed = await store.blobs.unlink(repository, digest, unleasedSince);
        if (removed) await collect(digest);
        return removed;
      } catch (error) {
        if (isStillNeeded(error)) return "needed";
        throw error;
      }
    },
    async find(repository, digest) {
      const [shown, size] = await Promise.all([shownAs(repository, digest), blobs.size(digest)]);
      return shown?.size === size ? shown : undefined;
    },
    collect,
    async examine(blob) {
      const { digest } = blob;
      const seemed = await examineBlob(blobs, blob);
      if (!seemed && !blob.damaged) return undefined;
      // It may have been pushed again while it was read.
      return lock.hold(digest, async () => {
        const damage = await examineBlob(blobs, blob);
        const known = await store.scrub.setDamaged(digest, damage ? clock.now() : null);
        return known ? damage : undefined;
      });
    },
  };
}
