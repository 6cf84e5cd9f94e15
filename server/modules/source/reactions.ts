import { type Reaction, reaction } from "#kernel/outbox.ts";
import { reviewStore } from "./review-store.ts";

/** How builds ended comes back here, where merges ask for it. */
export const sourceReactions: Reaction[] = [
  reaction("source.checks", "builds.build-finished", async (tx, { payload }) => {
    const { repository, commit, build, number, outcome, tag, folder, ofServices = false } = payload;
    // The build of a tag may run other steps than that of the branch.
    if (tag !== undefined) return;
    const store = reviewStore(tx);
    if (folder === undefined)
      await store.noteCheck({ repository, commit, build, number, outcome, of_services: ofServices });
    else
      await store.noteServiceCheck({
        repository,
        commit,
        folder,
        service: folder,
        build,
        number,
        outcome,
        reason: null,
      });
  }),
  // Under the same name, for what a build says of its services is taken before its end.
  reaction("source.checks", "builds.service-checked", async (tx, { payload }) => {
    const { repository, commit, tag, of, outcome = null, reason = null } = payload;
    if (tag !== undefined) return;
    await reviewStore(tx).announceServiceCheck({ repository, commit, ...of, outcome, reason });
  }),
];
