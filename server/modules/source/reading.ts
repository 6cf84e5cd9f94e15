/** What is asked of a repository. */
import { type Git, GitError, type GitObject } from "#drivers/git/contract.ts";
import { readDiff } from "./read-diff.ts";
import { readFiles } from "./read-files.ts";
import { readHistory } from "./read-history.ts";
import { type Places, revisionArgument } from "./places.ts";

/** Asks git about one repository. */
export interface Ask {
  /** Output as text; throws `GitError` on any exit code but 0. */
  text(repository: string, args: string[]): Promise<string>;
  /** Output as text; undefined when one of the revisions does not exist. */
  textIfThere(
    repository: string,
    revisions: string[],
    args: string[],
    outputLimit?: number,
  ): Promise<string | undefined>;
  /** Whether git answers yes (0). */
  yes(repository: string, args: string[]): Promise<boolean>;
  /** Objects in the order of their names; throws `GitError`, `output-limit`, when one is larger than `limit` bytes. */
  objects(repository: string, names: string[], limit: number): Promise<(GitObject | undefined)[]>;
  /** The commit behind a revision that `revisionArgument` has let through. */
  commitOf(repository: string, argument: string): Promise<GitObject | undefined>;
  resolve(repository: string, revision: string): Promise<string | undefined>;
}

/** Bytes of a commit with its message. */
const commitLimit = 32 * 1024 * 1024;

export type Reading = ReturnType<typeof createReading>;

export function createReading(git: Git, places: Places) {
  const ask = createAsk(git, places);
  return { resolve: ask.resolve, ...readFiles(ask), ...readHistory(ask), ...readDiff(ask) };
}

function createAsk(git: Git, places: Places): Ask {
  const run = (repository: string, args: string[], outputLimit?: number) =>
    git.run({ directory: places.of(repository), args, ...(outputLimit === undefined ? {} : { outputLimit }) });
  const objects: Ask["objects"] = (repository, names, limit) =>
    git.objects({ directory: places.of(repository), names, limit });

  async function commitOf(repository: string, argument: string): Promise<GitObject | undefined> {
    return (await objects(repository, [`${argument}^{commit}`], commitLimit))[0];
  }

  async function resolve(repository: string, revision: string): Promise<string | undefined> {
    const argument = revisionArgument(revision);
    if (!argument) return undefined;
    return (await commitOf(repository, argument))?.id;
  }

  return {
    resolve,
    text: async (repository, args) => (await git.read({ directory: places.of(repository), args })).toString("utf8"),
    async textIfThere(repository, revisions, args, outputLimit) {
      const { code, stdout, stderr } = await run(repository, args, outputLimit);
      if (code === 0) return stdout.toString("utf8");
      for (const each of revisions) if (!(await resolve(repository, each))) return undefined;
      throw new GitError("failed", `git ${args[0]} ended with ${code}: ${stderr.trim()}`);
    },
    yes: async (repository, args) => (await run(repository, args)).code === 0,
    objects,
    commitOf,
  };
}
