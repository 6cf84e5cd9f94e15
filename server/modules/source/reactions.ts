import { type Emit, type Reaction, reaction } from "#kernel/outbox.ts";
import { subjectOf } from "./context.ts";
import { reviewStore } from "./review-store.ts";

/** How builds ended comes back here, where merges ask for it. */
export function sourceReactions(emit: Emit): Reaction[] {
  return [
    reaction("source.checks", "builds.build-finished", async (tx, { payload }) => {
      const { repository, commit, build, number, outcome, tag, folder, ofServices = false } = payload;
      // The build of a tag may run other steps than that of the branch.
      if (tag !== undefined) return;
      const store = reviewStore(tx);
      const end = { repository, commit, build, number, outcome };
      if (folder === undefined) await store.noteCheck({ ...end, of_services: ofServices });
      else await store.noteServiceCheck({ ...end, folder, service: folder, reason: null });
      await emit(tx, subjectOf(repository), "source.check-changed", { repository, commit });
    }),
    // Under the same name, for what a build says of its services is taken before its end.
    reaction("source.checks", "builds.service-checked", async (tx, { payload }) => {
      const { repository, commit, tag, of, outcome = null, reason = null } = payload;
      if (tag !== undefined) return;
      await reviewStore(tx).announceServiceCheck({ repository, commit, ...of, outcome, reason });
      await emit(tx, subjectOf(repository), "source.check-changed", { repository, commit });
    }),
  ];
}
