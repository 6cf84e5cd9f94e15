/** What is asked of a repository, each by one `git` process. */
import { type Git, GitError } from "#drivers/git/contract.ts";
import { readFiles } from "./read-files.ts";
import { readHistory } from "./read-history.ts";
import { type Places, revisionArgument } from "./places.ts";

/** Asks git about one repository. */
export interface Ask {
  /** Output as text; throws `GitError` on any exit code but 0. */
  text(repository: string, args: string[]): Promise<string>;
  /** Output as text; undefined when one of the revisions does not exist. */
  textIfThere(repository: string, revisions: string[], args: string[]): Promise<string | undefined>;
  /** Whether git answers yes (0). */
  yes(repository: string, args: string[]): Promise<boolean>;
  /** Output for a text on standard input, of at most so many bytes. */
  bytesFor(repository: string, args: string[], input: { text: string; limit: number }): Promise<Buffer>;
  resolve(repository: string, revision: string): Promise<string | undefined>;
}

export type Reading = ReturnType<typeof createReading>;

export function createReading(git: Git, places: Places) {
  const ask = createAsk(git, places);
  return { resolve: ask.resolve, ...readFiles(ask), ...readHistory(ask) };
}

function createAsk(git: Git, places: Places): Ask {
  const run = (repository: string, args: string[]) => git.run({ directory: places.of(repository), args });

  async function resolve(repository: string, revision: string): Promise<string | undefined> {
    const argument = revisionArgument(revision);
    if (!argument) return undefined;
    const { code, stdout } = await run(repository, ["rev-parse", "--verify", "--quiet", `${argument}^{commit}`]);
    return code === 0 ? stdout.toString("latin1").trim() : undefined;
  }

  return {
    resolve,
    text: async (repository, args) => (await git.read({ directory: places.of(repository), args })).toString("utf8"),
    async textIfThere(repository, revisions, args) {
      const { code, stdout, stderr } = await run(repository, args);
      if (code === 0) return stdout.toString("utf8");
      for (const each of revisions) if (!(await resolve(repository, each))) return undefined;
      throw new GitError("failed", `git ${args[0]} ended with ${code}: ${stderr.trim()}`);
    },
    yes: async (repository, args) => (await run(repository, args)).code === 0,
    bytesFor: (repository, args, { text, limit }) =>
      git.read({ directory: places.of(repository), args, input: text, outputLimit: limit }),
  };
}
