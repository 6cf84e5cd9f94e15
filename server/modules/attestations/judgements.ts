/**
 * What was found about releases, remembered: gates and pages ask often, and what a digest names never changes. So what was found about
 * the same manifests under the same keys holds, as long as all of it could be read.
 */
import type { Database } from "#kernel/database.ts";
import { judge, type Judged, type VerificationDeps, type Verified } from "./verification.ts";

export interface Judgements {
  /** @param db the transaction in which the answer counts. */
  of(db: Database, release: Verified): Promise<Judged>;
}

const most = { releases: 200, packages: 50_000 };

/** @param limits of all that is remembered together; what was found last is kept whatever its size. */
export function createJudgements({ contents, keys }: VerificationDeps, limits = most): Judgements {
  // The one that was asked for last is the last.
  const remembered = new Map<string, { judged: Promise<Judged>; packages: number }>();

  function forgetOldest(): void {
    let packages = [...remembered.values()].reduce((sum, each) => sum + each.packages, 0);
    for (const [key, oldest] of remembered) {
      const isLast = remembered.size === 1;
      if (isLast || (remembered.size <= limits.releases && packages <= limits.packages)) return;
      remembered.delete(key);
      packages -= oldest.packages;
    }
  }

  async function find(key: string, finding: Promise<Judged>): Promise<Judged> {
    const entry = { judged: finding, packages: 0 };
    remembered.set(key, entry);
    try {
      const judged = await finding;
      entry.packages = judged.packages ?? 0;
      if (!judged.isWhole) remembered.delete(key);
      return judged;
    } catch (error) {
      remembered.delete(key);
      throw error;
    } finally {
      forgetOldest();
    }
  }

  return {
    async of(db, release) {
      const about = await contents.about(db, release.image, release.digest);
      const trusted = await keys.trusted(db);
      const named = [...trusted.map(({ id }) => id), ...about.map(({ digest }) => digest)];
      const key = [release.digest, release.commit, ...named].join(" ");
      const known = remembered.get(key);
      if (!known) return find(key, judge(contents, { about, trusted, release }));
      remembered.delete(key);
      remembered.set(key, known);
      return known.judged;
    },
  };
}
