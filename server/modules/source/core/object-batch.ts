export interface GitObject {
  type: string;
  content: Buffer;
}

/**
 * Reads the output of `git cat-file --batch`: one entry for each name asked for, undefined where nothing has that name.
 * @throws when the output ends in the middle of an object
 */
export function parseObjects(output: Buffer): (GitObject | undefined)[] {
  const objects: (GitObject | undefined)[] = [];
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    const header = output.subarray(at, end < 0 ? output.length : end).toString("utf8");
    const [, type = "", size = ""] = /^[0-9a-f]{40} (\w+) (\d+)$/.exec(header) ?? [];
    const start = end + 1;
    objects.push(type ? { type, content: output.subarray(start, start + Number(size)) } : undefined);
    at = type ? start + Number(size) + 1 : start;
    if (end < 0 || at > output.length) throw new Error("the output of git cat-file ends in the middle");
  }
  return objects;
}
