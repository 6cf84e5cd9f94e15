/** Refs, commits and what lies between them. */
import { type ChangedFile, type Commit, logArguments, parseLog, parseNumstat } from "./core/log-format.ts";
import { parseCommit } from "./core/commit-object.ts";
import { parseRefs } from "./core/ref-changes.ts";
import { revisionArgument } from "./places.ts";
import type { Ask } from "./reading.ts";

const changedFilesLimit = 1000;
const changedPathsLimit = 10_000;
const refFormat = "--format=%(objectname) %(refname)";

export interface Range {
  /** Undefined: the whole history. */
  older: string | undefined;
  newer: string;
  limit: number;
}

export function readHistory(ask: Ask) {
  async function log(repository: string, revisions: { from?: string; to: string }, limit: number): Promise<Commit[]> {
    const { from, to } = revisions;
    const range = from ? [to, `^${from}`] : [to];
    const args = ["log", ...logArguments, `--max-count=${limit}`, "--end-of-options", ...range, "--"];
    return parseLog((await ask.textIfThere(repository, from ? [to, from] : [to], args)) ?? "");
  }

  return {
    refs: async (repository: string) =>
      parseRefs(await ask.text(repository, ["for-each-ref", refFormat, "refs/heads", "refs/tags"])),

    /** Branches whose heads are contained in the revision. */
    branchesIn: async (repository: string, revision: string) =>
      parseRefs(await ask.text(repository, ["for-each-ref", refFormat, `--merged=${revision}`, "refs/heads"])),

    async commit(repository: string, revision: string): Promise<Commit | undefined> {
      const to = revisionArgument(revision);
      if (!to) return undefined;
      const found = await ask.commitOf(repository, to);
      return found && (parseCommit(found.id, found.content) ?? (await log(repository, { to }, 1))[0]);
    },

    /** Commits of `newer` that `older` lacks, newest first. */
    async commitsBetween(repository: string, { older, newer, limit }: Range): Promise<Commit[]> {
      const to = revisionArgument(newer);
      if (older === undefined) return to ? log(repository, { to }, limit) : [];
      const from = revisionArgument(older);
      return to && from ? log(repository, { from, to }, limit) : [];
    },

    async isAncestor(repository: string, older: string, newer: string): Promise<boolean> {
      const [from, to] = [revisionArgument(older), revisionArgument(newer)];
      return Boolean(from && to && (await ask.yes(repository, ["merge-base", "--is-ancestor", from, to])));
    },

    /** Where `head` left `target`; undefined where a revision does not exist, or both share no history. */
    async mergeBase(repository: string, target: string, head: string): Promise<string | undefined> {
      const args = ["merge-base", target, head];
      return (await ask.yes(repository, args)) ? (await ask.text(repository, args)).trim() : undefined;
    },

    /** Undefined when a revision does not exist, both share no history, or they are more than can be told. */
    async changedPaths(repository: string, target: string, head: string): Promise<string[] | undefined> {
      if (!(await ask.yes(repository, ["merge-base", target, head]))) return undefined;
      const args = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", `${target}...${head}`, "--"];
      const output = await ask.textIfThere(repository, [target, head], args);
      const paths = output?.split("\0").filter(Boolean);
      return paths && paths.length <= changedPathsLimit ? paths : undefined;
    },

    /** Files that differ between `head` and where it left `target`. */
    async changedFiles(repository: string, target: string, head: string): Promise<ChangedFile[]> {
      const options = ["--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
      const args = ["diff", ...options, `${target}...${head}`, "--"];
      const output = await ask.textIfThere(repository, [target, head], args);
      return parseNumstat(output ?? "").slice(0, changedFilesLimit);
    },
  };
}
