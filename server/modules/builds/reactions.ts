import { branchName } from "#api/names.ts";
import { orThrow } from "#api/errors.ts";
import type { Log } from "#kernel/log.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import { defaultBranch } from "./core/context.ts";
import type { Creation } from "./create.ts";
import type { Machine } from "./machine.ts";
import { buildsStore } from "./store.ts";

/** The repository that holds the environments: a commit there is the operation, nothing is built. */
const fleetRepository = "fleet";

interface Deps {
  log: Log;
  machine: Machine;
  creation: Creation;
}

export function buildReactions({ log, machine, creation }: Deps): Reaction[] {
  return [
    reaction("builds.build-push", "source.ref-changed", async (tx, { payload }) => {
      const { repository, ref, after: commit, actor: creator } = payload;
      const branch = ref.replace(/^refs\/heads\//, "");
      if (!commit || branch === ref || repository === fleetRepository) return;
      if (!branchName.safeParse(branch).success)
        return log.warn({ repository, ref }, "a branch of that name is not built");
      const build = await creation.create(tx, { repository, branch, commit, source: "push", creator });
      if (branch !== defaultBranch) await creation.supersede(tx, build);
    }),

    reaction("builds.follow-deployment", "deployments.deployment-finished", async (tx, { payload }) => {
      const { request, outcome, reason } = payload;
      const found = request && (await buildsStore(tx).buildOfRequest(request));
      if (!found) return;
      const ask = { type: "deployment-finished" as const, request, outcome, ...(reason ? { reason } : {}) };
      orThrow(await machine.act(tx, found.build, ask));
    }),
  ];
}
