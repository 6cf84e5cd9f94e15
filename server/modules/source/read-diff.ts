/** What lies between two commits, file by file. */
import { GitError } from "#drivers/git/contract.ts";
import { isTreePath } from "./core/commit-stream.ts";
import { lineNow, parseStretches } from "./core/line-map.ts";
import { revisionArgument } from "./places.ts";
import type { Ask } from "./reading.ts";

/** Bytes of the patch of one file. */
const patchLimit = 1024 * 1024;

export interface FilePair {
  from: string;
  to: string;
  path: string;
}

export interface FileDiff {
  kind: "text" | "binary" | "too-large" | "same";
  /** In the unified format; of text alone. */
  patch: string | null;
}

export function readDiff(ask: Ask) {
  /** Git's words about one file; undefined where one of the commits is not there, `too-large` over the limit. */
  async function patchOf(repository: string, pair: FilePair, context: number): Promise<string | undefined> {
    const [from, to] = [revisionArgument(pair.from), revisionArgument(pair.to)];
    if (!from || !to || !isTreePath(pair.path)) return undefined;
    const options = [`--unified=${context}`, "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"];
    const args = ["diff", ...options, "--src-prefix=a/", "--dst-prefix=b/", from, to, "--", pair.path];
    return ask.textIfThere(repository, [from, to], args, patchLimit).catch((error: unknown) => {
      if (error instanceof GitError && error.reason === "output-limit") return tooLarge;
      throw error;
    });
  }

  return {
    /** Undefined where one of the commits is not there, or the path is none. */
    async diffOf(repository: string, pair: FilePair, context: number): Promise<FileDiff | undefined> {
      const patch = await patchOf(repository, pair, context);
      if (patch === undefined) return undefined;
      if (patch === tooLarge) return { kind: "too-large", patch: null };
      if (patch === "") return { kind: "same", patch: null };
      if (/^Binary files .* differ$/m.test(patch) && !/^@@ /m.test(patch)) return { kind: "binary", patch: null };
      return { kind: "text", patch };
    },

    /** Where lines of a file at `from` stand at `to`: undefined for what was changed, and where it cannot be told. */
    async linesNow(repository: string, pair: FilePair, lines: readonly number[]): Promise<(number | undefined)[]> {
      const patch = pair.from === pair.to ? "" : await patchOf(repository, pair, 0);
      if (patch === undefined || patch === tooLarge) return lines.map(() => undefined);
      const stretches = parseStretches(patch);
      return lines.map((line) => lineNow(line, stretches));
    },
  };
}

const tooLarge = "too large";
