import type { GitObject } from "./contract.ts";

export interface ObjectParser {
  /** All objects once the last of them has come whole. */
  take(chunk: Buffer): (GitObject | undefined)[] | "more" | "too-large";
}

/** A name that git repeats when nothing has it is a path below a revision at most. */
const longestHeader = 8 * 1024;

/** Reads the answer of `git cat-file --batch` to so many names: one entry for each, undefined where nothing has that name. */
export function createObjectParser(count: number, limit: number): ObjectParser {
  const objects: (GitObject | undefined)[] = [];
  let header: { id: string; type: string; size: number } | undefined;
  let pieces: Buffer[] = [];
  let length = 0;

  const joined = () => {
    if (pieces.length > 1) pieces = [Buffer.concat(pieces)];
    return pieces[0] ?? Buffer.alloc(0);
  };
  const skip = (bytes: number) => {
    pieces = [joined().subarray(bytes)];
    length -= bytes;
  };

  /** Whether something was read that may have more behind it. */
  function readHeader(): boolean | "too-large" {
    const end = joined().indexOf(10);
    if (end < 0) return length > longestHeader ? "too-large" : false;
    const text = joined().subarray(0, end).toString("utf8");
    skip(end + 1);
    const [, id, type, size] = /^([0-9a-f]{40}|[0-9a-f]{64}) (\w+) (\d+)$/.exec(text) ?? [];
    if (id === undefined || type === undefined) objects.push(undefined);
    else header = { id, type, size: Number(size) };
    return header && header.size > limit ? "too-large" : true;
  }

  function readContent({ id, type, size }: NonNullable<typeof header>): boolean {
    // A line break stands behind the content.
    if (length < size + 1) return false;
    objects.push({ id, type, content: Buffer.from(joined().subarray(0, size)) });
    skip(size + 1);
    header = undefined;
    return true;
  }

  return {
    take(chunk) {
      pieces.push(chunk);
      length += chunk.length;
      while (objects.length < count) {
        const read = header ? readContent(header) : readHeader();
        if (read === "too-large") return read;
        if (!read) return "more";
      }
      return objects;
    },
  };
}
