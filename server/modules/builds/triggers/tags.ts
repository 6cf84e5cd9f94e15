/** Builds of tags. What a tag points to is read from Git, so it is done by a job. */
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Source } from "#source";
import { defaultBranch } from "../core/context.ts";
import type { Creation } from "../create.ts";
import { buildsStore } from "../store.ts";

export const tagTask = "builds.tag";

/** Tags of a repository that are built in so long a time; a mirror that is pushed brings all that there ever were. */
const mostTags = 20;
const tagWindowMs = 10 * 60 * 1000;

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  source: Pick<Source, "resolve">;
  creation: Creation;
}

interface Tagged {
  repository: string;
  tag: string;
  /** The commit, or the annotated tag that points to it. */
  object: string;
  creator?: string;
}

/** Safe to run twice: a tag is built once for each commit that it points to. */
export function buildTag({ db, clock, log, source, creation }: Deps): Task {
  return async (payload) => {
    const { repository, tag, object, creator } = payload as Tagged;
    // Its build would pass for one of the default branch, and deploy.
    if (tag === defaultBranch)
      return log.warn({ repository, tag }, "a tag with the name of the default branch is not built");
    const commit = await source.resolve(repository, object);
    if (!commit) return;
    await db.transaction().execute(async (tx) => {
      const store = buildsStore(tx);
      await store.lockNumbers(repository);
      if (await store.buildOfTag(repository, tag, commit)) return;
      const since = new Date(clock.now().getTime() - tagWindowMs);
      if ((await store.tagsSince(repository, since)) >= mostTags)
        return log.warn({ repository, tag }, `more than ${mostTags} tags came at once: this one is not built`);
      await creation.create(tx, { repository, branch: tag, tag, commit, source: "push", creator });
    });
  };
}
