/** A commit, as `git log` tells it. */
export interface Commit {
  revision: string;
  author: string;
  email: string;
  message: string;
  /** When it was committed. */
  at: Date;
  parents: string[];
}

/** Arguments that make `git log` write what `parseLog` reads. */
export const logArguments = ["--no-color", "-z", "--encoding=UTF-8", "--format=%H%x00%an%x00%ae%x00%cI%x00%P%x00%B"];

const fieldsEach = 6;

export function parseLog(output: string): Commit[] {
  const fields = output.split("\0");
  return Array.from({ length: Math.floor(fields.length / fieldsEach) }, (_, index) => {
    const [revision = "", author = "", email = "", at = "", parents = "", message = ""] = fields.slice(
      index * fieldsEach,
      (index + 1) * fieldsEach,
    );
    return {
      revision,
      author,
      email,
      at: new Date(at),
      parents: parents.split(" ").filter(Boolean),
      message: message.trimEnd(),
    };
  });
}

export interface ChangedFile {
  path: string;
  /** Lines; null for a binary file. */
  added: number | null;
  removed: number | null;
}

/** Reads the output of `git diff --numstat -z --no-renames`. */
export function parseNumstat(output: string): ChangedFile[] {
  const lines = (text: string | undefined) => (text === "-" ? null : Number(text));
  return output
    .split("\0")
    .filter(Boolean)
    .map((entry) => {
      const [, added, removed, path = ""] = /^(\S+)\t(\S+)\t([\s\S]*)$/.exec(entry) ?? [];
      return { path, added: lines(added), removed: lines(removed) };
    });
}
