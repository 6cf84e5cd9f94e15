import { join } from "node:path";
import { orThrow, refuse, type Refusal } from "#api/errors.ts";
import { branchName, repositoryName, revision } from "#api/names.ts";

/** Where repositories stand: `<root>/<name>.git`. The name is checked here too, since it becomes a path. */
export interface Places {
  root: string;
  of(repository: string): string;
}

export function createPlaces(home: string): Places {
  const root = join(home, "repositories");
  return { root, of: (repository) => join(root, `${orThrow(validName(repository))}.git`) };
}

/** The repository behind the name in an address, with or without `.git`. */
export function validName(name: string): string | Refusal {
  const parsed = repositoryName.safeParse(name.replace(/\.git$/, ""));
  return parsed.success ? parsed.data : refuse("name.invalid", "a repository's name has " + repositoryRule);
}

const repositoryRule = "lower-case letters, digits and dashes, 1 to 40, starting with a letter";

/** What may stand where git takes a revision: a full hash, a full ref or a branch. Undefined for anything else. */
export function revisionArgument(text: string): string | undefined {
  if (revision.safeParse(text).success) return text;
  if (!branchName.safeParse(text).success) return undefined;
  return text.startsWith("refs/") ? text : `refs/heads/${text}`;
}
