import { isRefusal, refuse } from "#api/errors.ts";
import { storyNames } from "#pipeline/story-names.ts";
import { diffStack, type StackChange } from "#stack/diff-stack.ts";
import { risksOf } from "./core/risks.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { readLane } from "./lanes.ts";
import type { Requests } from "./requests.ts";
import { renderFor } from "./steps/plan.ts";
import { deploymentStore, type Place } from "./store.ts";

const mostCommits = 100;

/** What a deployment would change, and the gates it would meet. */
export async function previewDeployment(
  deps: DeploymentsDeps,
  requests: Requests,
  wish: Place & { release?: number | undefined },
) {
  const weighed = await requests.weigh({ ...wish, kind: "deploy" });
  if (isRefusal(weighed)) return weighed;
  const { environment, release, gates } = weighed;
  const store = deploymentStore(deps.db);
  const { serving } = await readLane(store, wish);
  const stack = await renderFor(deps, environment, release);
  if (typeof stack === "string") return refuse("environment.invalid", stack);
  const older = serving && serving.repository === release.repository ? (serving.commit ?? undefined) : undefined;
  const { repository, commit: newer } = release;
  const commits = await deps.source.commitsBetween(repository, { older, newer, limit: mostCommits });
  const changes = diffStack(serving?.stack ?? undefined, stack);
  const from = serving?.release ?? null;
  const back = from === null ? null : ((await store.servedBefore(wish, from))?.release ?? null);
  const last = await store.lastFinishedAt(wish);
  return {
    ...{ service: wish.service, environment: wish.environment },
    ...{ release: release.number, commit: newer, digest: release.digest, from, back, gates },
    risks: risksOf({ stack, changes, from, commits: commits.length, last }),
    changes: changes.map(viewChange),
    stories: [...new Set(commits.flatMap(({ message }) => storyNames(message)))],
    commits: commits.map(({ revision, author, message, at }) => ({
      ...{ revision, author, message: message.split("\n")[0] ?? "", at: at.toISOString() },
    })),
  };
}

/** Variables are told by name: a value may be one that somebody forgot to make a secret. */
function viewChange({ path, kind, before, after }: StackChange) {
  if (!path.startsWith("variables.")) return { path, before: before ?? null, after: after ?? null };
  const words = { added: [null, "set"], removed: ["set", null], changed: ["set", "another value"] } as const;
  const [old, next] = words[kind];
  return { path, before: old, after: next };
}
