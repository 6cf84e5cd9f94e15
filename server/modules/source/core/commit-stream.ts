/** One commit as `git fast-import` reads it. */
export interface NewCommit {
  branch: string;
  /** The commit that it stands on; undefined for the first one of a branch. */
  parent: string | undefined;
  author: { name: string; email: string };
  message: string;
  /** Content by path; null removes the file. */
  files: Record<string, string | null>;
  at: Date;
}

/** The input of `git fast-import --done`. Paths must have passed `isTreePath`. */
export function commitStream({ branch, parent, author, message, files, at }: NewCommit): string {
  const seconds = Math.floor(at.getTime() / 1000);
  return [
    `commit refs/heads/${branch}`,
    `committer ${identityText(author.name)} <${identityText(author.email)}> ${seconds} +0000`,
    data(message),
    ...(parent ? [`from ${parent}`] : []),
    ...Object.entries(files).map(([path, content]) =>
      content === null ? `D ${quoted(path)}` : `M 100644 inline ${quoted(path)}\n${data(content)}`,
    ),
    "done",
    "",
  ].join("\n");
}

/** A name or address without the characters that would end its field. */
export function identityText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the ones to remove
  return text.replaceAll(/[<>\u0000-\u001f\u007f]/g, "").trim() || "unknown";
}

/** Whether a path may stand in a tree: relative, without empty, `.`, `..` or `.git` parts, and without control characters. */
export function isTreePath(path: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are the ones to refuse
  if (path.length > 1000 || /[\u0000-\u001f\u007f\\]/.test(path)) return false;
  return path.split("/").every((part) => !/^(\.{0,2}|\.git[ .]*|git~\d+)$/i.test(part));
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('"', String.raw`\"`)}"`;
}
