/**
 * What was found about releases, remembered: gates and pages ask often, and what a digest names never changes. So what was found about
 * the same manifests under the same keys holds, as long as all of it could be read.
 */
import { LRUCache } from "lru-cache";
import type { Database } from "#kernel/database.ts";
import { judge, type Judged, type VerificationDeps, type Verified } from "./verification.ts";

export interface Judgements {
  /** @param db the transaction in which the answer counts. */
  of(db: Database, release: Verified): Promise<Judged>;
}

const most = { releases: 200, packages: 50_000 };

/** @param limits of all that is remembered together; what was found last is kept whatever its size. */
export function createJudgements({ contents, keys }: VerificationDeps, limits = most): Judgements {
  const remembered = new LRUCache<string, Promise<Judged>>({ max: limits.releases, maxSize: limits.packages });
  const sizeOf = ({ packages }: Judged) => Math.min(Math.max(packages ?? 0, 1), limits.packages);

  async function find(key: string, finding: Promise<Judged>): Promise<Judged> {
    remembered.set(key, finding, { size: 1 });
    try {
      const judged = await finding;
      if (!judged.isWhole) remembered.delete(key);
      else if (remembered.has(key)) remembered.set(key, finding, { size: sizeOf(judged) });
      return judged;
    } catch (error) {
      remembered.delete(key);
      throw error;
    }
  }

  return {
    async of(db, release) {
      const about = await contents.about(db, release.image, release.digest);
      const trusted = await keys.trusted(db);
      const named = [...trusted.map(({ id }) => id), ...about.map(({ digest }) => digest)];
      const key = [release.digest, release.commit, ...named].join(" ");
      return remembered.get(key) ?? find(key, judge(contents, { about, trusted, release }));
    },
  };
}
