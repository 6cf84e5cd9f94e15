import { refuse, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Release } from "#releases";
import { previewStore } from "./preview-store.ts";

type Built = Pick<Release, "service" | "number" | "repository" | "pullRequest">;

/** What was built of a pull request goes to its own environment and nowhere else, and nothing else goes there. */
export async function strangerThere(
  db: Database,
  { name, preview }: Pick<EnvironmentFile, "name" | "preview">,
  { service, number, repository, pullRequest }: Built,
): Promise<Refusal | undefined> {
  const row = preview && (await previewStore(db).find(name));
  const isOwn = row && row.ending === null && row.repository === repository && row.pull_request === pullRequest;
  if (preview ? isOwn : pullRequest === null) return undefined;
  const what = `release ${number} of ${service}`;
  if (pullRequest !== null)
    return refuse("release.preview-only", `${what} is of pull request ${pullRequest} and goes to its preview alone`, {
      fix: "Merge the pull request: the build of the default branch makes a release for every environment.",
    });
  return refuse("release.preview-only", `${name} is for what a pull request brings, and ${what} is of none`);
}
