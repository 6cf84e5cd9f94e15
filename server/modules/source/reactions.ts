import { type Reaction, reaction } from "#kernel/outbox.ts";
import { reviewStore } from "./review-store.ts";

/** How builds ended comes back here, where merges ask for it. */
export const sourceReactions: Reaction[] = [
  reaction("source.checks", "builds.build-finished", async (tx, { payload }) => {
    const { repository, commit, build, number, outcome, tag } = payload;
    // The build of a tag may run other steps than that of the branch.
    if (tag !== undefined) return;
    await reviewStore(tx).noteCheck({ repository, commit, build, number, outcome });
  }),
];
