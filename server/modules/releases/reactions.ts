import type { Jobs } from "#kernel/jobs.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";

import { releaseStore } from "./store.ts";

export const createTask = "releases.create";

/** Reading Git takes longer than a reaction may, so the release is made by a job that exists exactly when the event does. */
export function releaseReactions(jobs: Jobs): Reaction[] {
  return [
    reaction("releases.create", "builds.image-published", (tx, { payload }) =>
      jobs.add(tx, createTask, payload, { key: `${createTask}:${payload.build}:${payload.service}` }),
    ),
    reaction("releases.retire", "deployments.release-retired", async (tx, { payload, at }) => {
      await releaseStore(tx).retire(payload.release, at);
    }),
  ];
}
