/** Files as they are at a revision. */
import { GitError } from "#drivers/git/contract.ts";
import { refuse, RefusalError } from "#api/errors.ts";
import { isTreePath } from "./core/commit-stream.ts";
import { together } from "#kernel/together.ts";
import { revisionArgument } from "./places.ts";
import type { Ask } from "./reading.ts";

/** Bytes of one file. */
const fileLimit = 1024 * 1024;
const entriesLimit = 1000;
const treeLimit = 100_000;

export interface TreeFile {
  path: string;
  /** Mode and id of the content: another for every change of it. */
  id: string;
}
/** Every repository has it, without it being written. Against it all files are new, which `ls-tree` cannot find by a pattern. */
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export function readFiles(ask: Ask) {
  /** The texts in the order of the paths; undefined where there is no file. */
  async function readMany(repository: string, revision: string, paths: string[]): Promise<(string | undefined)[]> {
    const argument = revisionArgument(revision);
    if (!argument || paths.some((path) => !isTreePath(path))) return paths.map(() => undefined);
    const names = paths.map((path) => `${argument}:${path}`);
    const objects = await ask.objects(repository, names, fileLimit).catch((error: unknown) => {
      throw error instanceof GitError && error.reason === "output-limit" ? tooLarge(paths.join(", ")) : error;
    });
    return objects.map((object) => (object?.type === "blob" ? object.content.toString("utf8") : undefined));
  }

  /** One question to git for all that is read of a revision at one moment. */
  const readTogether = together((place, paths: string[]) => {
    const [repository, revision] = JSON.parse(place) as [string, string];
    return readMany(repository, revision, paths);
  });

  return {
    readMany,
    readFile: (repository: string, revision: string, path: string) =>
      readTogether(JSON.stringify([repository, revision]), path),

    /** Every file below the root; undefined where there is no such revision, or more than can be told. */
    async tree(repository: string, revision: string): Promise<TreeFile[] | undefined> {
      const argument = revisionArgument(revision);
      if (!argument) return undefined;
      const output = await ask.textIfThere(repository, [argument], ["ls-tree", "-r", "-z", "--full-tree", argument]);
      const entries = output?.split("\0").filter(Boolean);
      return entries && entries.length <= treeLimit ? entries.map(treeFileOf) : undefined;
    },

    /** Paths of the files of this name, in whatever folder; undefined when they are more than the limit. */
    async findFiles(repository: string, revision: string, name: string): Promise<string[] | undefined> {
      const argument = revisionArgument(revision);
      if (!argument || !isTreePath(name)) return [];
      const args = ["--no-literal-pathspecs", "diff-tree", "-r", "-z", "--name-only", "--no-renames", emptyTree];
      const only = ["--", `:(glob)**/${name}`];
      const output = (await ask.textIfThere(repository, [argument], [...args, argument, ...only])) ?? "";
      const found = output.split("\0").filter(Boolean);
      return found.length > entriesLimit ? undefined : found;
    },

    async listFiles(repository: string, revision: string, folder: string): Promise<string[]> {
      const argument = revisionArgument(revision);
      const inside = folder.replace(/\/+$/, "");
      if (!argument || (inside !== "" && !isTreePath(inside))) return [];
      const path = inside === "" ? [] : [`${inside}/`];
      const args = ["ls-tree", "-z", "--full-tree", argument, "--", ...path];
      const output = (await ask.textIfThere(repository, [argument], args)) ?? "";
      const files = output.split("\0").filter((entry) => /^100\d{3} blob /.test(entry));
      return files.slice(0, entriesLimit).map((entry) => entry.slice(entry.indexOf("\t") + 1));
    },
  };
}

/** `100644 blob <id>\t<path>` */
function treeFileOf(entry: string): TreeFile {
  const tab = entry.indexOf("\t");
  const [mode = "", , id = ""] = entry.slice(0, tab).split(" ");
  return { path: entry.slice(tab + 1), id: `${mode} ${id}` };
}

function tooLarge(path: string): RefusalError {
  return new RefusalError(refuse("git.file-too-large", `${path} has more than ${fileLimit} bytes`));
}
