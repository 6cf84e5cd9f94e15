/** Whose commits a release would bring to an environment: they give no sign-off for it. */
import type { Commit } from "#source";
import type { DeploymentsDeps } from "./deps.ts";
import { gateStore } from "./gate-store.ts";
import { readLane } from "./lanes.ts";
import { deploymentStore, type Place } from "./store.ts";
import type { Release } from "#releases";

const mostCommits = 1000;

/**
 * Names as they are written in Git can be chosen freely, so whoever pushed a commit is an author of it too; and a name in Git counts
 * for the user of that name. A merge brings nothing of its own.
 */
export async function isContributor(
  { db, source }: Pick<DeploymentsDeps, "db" | "source">,
  release: Release,
  { user, environment }: { user: string; environment: string },
): Promise<boolean> {
  const { repository, service, commit: newer } = release;
  const place: Place = { service, environment };
  const { serving } = await readLane(deploymentStore(db), place);
  const older = serving?.repository === repository ? (serving.commit ?? undefined) : undefined;
  const commits = await source.commitsBetween(repository, { older, newer, limit: mostCommits });
  if (commits.some((each) => each.parents.length < 2 && namesOf(each).includes(user))) return true;
  const revisions = commits.map(({ revision }) => revision);
  const pushers = await gateStore(db).pushersOf(repository, revisions);
  return pushers.some(({ user_name }) => user_name === user);
}

function namesOf({ author, email }: Commit): string[] {
  return [author, email, email.split("@")[0] ?? ""].map((name) => name.toLowerCase());
}
