import { branchName } from "#api/names.ts";
import { orThrow } from "#api/errors.ts";
import type { Log } from "#kernel/log.ts";
import type { Tx } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Fleet } from "#fleet";
import type { Source } from "#source";
import { defaultBranch } from "./core/context.ts";
import type { Creation } from "./create.ts";
import type { Machine } from "./machine.ts";
import { buildsStore, type NewBuild } from "./store.ts";
import { tagTask } from "./triggers/tags.ts";
import { triggerStore } from "./triggers/trigger-store.ts";

/** The repository that holds the environments: a commit there is the operation, nothing is built. */
const fleetRepository = "fleet";

/** What is asked of an old commit is no build of its branch: nothing waits for it there, or takes it for the newest. */
const verifyingBranch = "contracts";

interface Deps {
  log: Log;
  jobs: Jobs;
  source: Pick<Source, "openPullRequest">;
  fleet: Pick<Fleet, "previews" | "service">;
  machine: Machine;
  creation: Creation;
}

export function buildReactions({ log, jobs, source, fleet, machine, creation }: Deps): Reaction[] {
  async function buildBranch(tx: Tx, push: Pick<NewBuild, "repository" | "branch" | "commit" | "creator">) {
    const number = await source.openPullRequest(push.repository, push.branch);
    const build = await creation.create(tx, {
      ...push,
      ...(number === undefined ? { source: "push" } : { source: "pull-request", pull_request: number }),
    });
    if (push.branch !== defaultBranch) await creation.supersede(tx, build);
  }

  return [
    reaction("builds.build-push", "source.ref-changed", async (tx, { payload }) => {
      const { repository, ref, after: commit, actor: creator } = payload;
      if (!commit || repository === fleetRepository) return;
      const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
      if (!kind || !branchName.safeParse(name).success)
        return log.warn({ repository, ref }, "a branch or tag of that name is not built");
      if (kind === "tags") return jobs.add(tx, tagTask, { repository, tag: name, object: commit, creator });
      await buildBranch(tx, { repository, branch: name, commit, creator });
    }),

    // The build of the branch's push knew of no pull request, and so made no image for its environment.
    reaction("builds.build-push", "source.pull-request-opened", async (tx, { payload }) => {
      const { repository, branch, head: commit } = payload;
      if (repository === fleetRepository || !(await fleet.previews())) return;
      await buildBranch(tx, { repository, branch, commit, creator: undefined });
    }),

    reaction("builds.verify", "contracts.verification-wanted", async (tx, { payload }) => {
      const { provider, consumer, commit, pact } = payload;
      const known = await fleet.service(provider);
      if (!known || known.gone_at) return;
      const { repository, folder } = known;
      await creation.create(tx, {
        ...{ repository, folder, service: provider, branch: verifyingBranch, commit, source: "contract" },
        ...{ creator: undefined, env: { PACT_URL: pact }, message: `Verify what ${consumer} asks of ${provider}` },
      });
    }),

    reaction("builds.follow-deployment", "deployments.deployment-finished", async (tx, { payload }) => {
      const { request, outcome, reason } = payload;
      const found = request && (await buildsStore(tx).buildOfRequest(request));
      if (!found) return;
      const ask = { type: "deployment-finished" as const, request, outcome, ...(reason ? { reason } : {}) };
      orThrow(await machine.act(tx, found.build, ask));
    }),

    reaction("builds.follow-triggered", "builds.build-finished", async (tx, { payload }) => {
      const { build: request, repository, number, outcome } = payload;
      const parent = (await buildsStore(tx).build(request))?.parent;
      if (!parent) return;
      const reason = `${repository} #${number} ${outcome}`;
      const done = await machine.act(tx, parent.build, { type: "triggered-finished", request, outcome, reason });
      orThrow(done);
    }),

    reaction("builds.follow-deployed", "deployments.deployment-finished", async (tx, { payload }) => {
      const { outcome, repository, service, environment, commit } = payload;
      if (outcome === "succeeded" && repository && commit)
        await triggerStore(tx).putDeployed({ repository, service, environment, commit });
    }),
  ];
}
