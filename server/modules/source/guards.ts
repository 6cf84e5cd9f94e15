/** Rules that a later module sets for what enters a repository: asked before a branch moves, by a push or by a merge. */
import { RefusalError } from "#api/errors.ts";
import type { Fault } from "#pipeline/fault.ts";
import type { Reading } from "./reading.ts";

/** The files as they would be. */
export interface Entering {
  /** As the door's `listFiles`. */
  listFiles(folder: string): Promise<string[]>;
  /** As the door's `readFile`. */
  readFile(path: string): Promise<string | undefined>;
}

/** What is wrong with the files; none when they may enter. */
export type Guard = (files: Entering) => Promise<Fault[]>;

export interface Guards {
  set(repository: string, guard: Guard): void;
  has(repository: string): boolean;
  /** Faults of a tree or a commit; none where nobody set a rule. */
  faults(reading: Reading, repository: string, revision: string): Promise<Fault[]>;
}

export function createGuards(): Guards {
  const guards = new Map<string, Guard>();
  return {
    set: (repository, guard) => void guards.set(repository, guard),
    has: (repository) => guards.has(repository),
    async faults(reading, repository, revision) {
      const guard = guards.get(repository);
      if (!guard) return [];
      const files: Entering = {
        listFiles: (folder) => reading.listFiles(repository, revision, folder),
        readFile: (path) => reading.readFile(repository, revision, path),
      };
      return guard(files).catch((error: unknown) => {
        if (!(error instanceof RefusalError)) throw error;
        const place = { file: "", line: 1, column: 1 };
        return [{ code: "yaml.limit" as const, message: error.message, place }];
      });
    },
  };
}
