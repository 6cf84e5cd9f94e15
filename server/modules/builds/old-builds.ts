/** Old builds go, with all that they left: what a release was made of, its evidence included, stays with the release. */
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { logPaths, removeLog } from "./logs/log-file.ts";
import { oldBuildsStore } from "./old-builds-store.ts";

export interface BuildRules {
  /** Days after its end that a build stays. */
  days: number;
  /** The newest of each repository stay whatever their age. */
  keep: number;
}

interface Deps {
  db: Database;
  clock: Clock;
  home: string;
  buildRules?: BuildRules;
}

const dayMs = 24 * 60 * 60 * 1000;
const batch = 50;
const usualRules: BuildRules = { days: 400, keep: 100 };

export function createOldBuilds({ db, clock, home, buildRules = usualRules }: Deps): () => Promise<void> {
  const { days, keep } = buildRules;
  return async () => {
    const before = new Date(clock.now().getTime() - days * dayMs);
    const find = () => oldBuildsStore(db).find({ before, keep, limit: batch });
    for (let builds = await find(); builds.length > 0; builds = await find()) {
      // The files first: rows that are still there after a crash are found again, files without rows are not.
      for (const { job, attempt } of await oldBuildsStore(db).logs(builds))
        await removeLog(logPaths(home, job, attempt));
      const ids = builds;
      await db.transaction().execute((tx) => oldBuildsStore(tx).delete(ids));
    }
  };
}
