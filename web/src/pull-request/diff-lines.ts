/** What is to be known about the files and lines of a diff, without drawing them. */
import type { Comment, Detail } from "./standing.ts";

export type Side = "old" | "new";
export type Layout = "unified" | "split";
type File = Detail["files"][number];

/** By which a file is found on the page. */
export const anchorOf = (path: string) => `file-${path}`;

/** Lines from which a file is shown only when it is asked for: reading further is what a reviewer wants first. */
const foldedFrom = 400;
const written =
  /(^|\/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|Gemfile\.lock|go\.sum|poetry\.lock|.*\.min\.(js|css)|.*\.snap)$/;

/** Why a file is folded at first, in words; undefined where it is not. */
export function whyFolded({ path, added, removed }: File): string | undefined {
  if (written.test(path)) return "Written by a program.";
  const lines = (added ?? 0) + (removed ?? 0);
  return lines >= foldedFrom ? `${lines} lines changed.` : undefined;
}

const languages: Record<string, string> = {
  ...{ js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", ts: "typescript", tsx: "typescript" },
  ...{ py: "python", rb: "ruby", rs: "rust", go: "go", java: "java", kt: "kotlin", swift: "swift", php: "php" },
  ...{ c: "c", h: "c", cpp: "cpp", hpp: "cpp", cc: "cpp", cs: "csharp", sh: "bash", bash: "bash", pl: "perl" },
  ...{ json: "json", yml: "yaml", yaml: "yaml", toml: "ini", ini: "ini", md: "markdown", sql: "sql", lua: "lua" },
  ...{ html: "markup", xml: "markup", svg: "markup", css: "css", scss: "scss", less: "less", r: "r", mk: "makefile" },
};

/** As the highlighter names it; undefined for what it does not know. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (name === "makefile") return "makefile";
  const dot = name.lastIndexOf(".");
  return dot === -1 ? undefined : languages[name.slice(dot + 1)];
}

/** A line of a diff, as the library has it. */
export type Change =
  | { type: "insert" | "delete"; lineNumber: number }
  | { type: "normal"; oldLineNumber: number; newLineNumber: number };

/** The number of a line on one side; undefined where that side has no such line. */
export function lineOn(side: Side, change: Change): number | undefined {
  if (change.type === "normal") return side === "old" ? change.oldLineNumber : change.newLineNumber;
  return (change.type === "delete") === (side === "old") ? change.lineNumber : undefined;
}

/** Where a comment on that line goes: what is removed has the old side alone; else the new one, unless the old one was meant. */
export function placeOf(change: Change, meant: Side = "new"): { side: Side; line: number } {
  const side = change.type === "delete" ? "old" : change.type === "insert" ? "new" : meant;
  return { side, line: lineOn(side, change) ?? 1 };
}

export interface Threads {
  /** By side and line, such as `new:12`. */
  at: Map<string, Comment[]>;
  /** On lines that have changed since. */
  outdated: Comment[];
}

export const threadKey = (side: Side, line: number) => `${side}:${line}`;

/** The comments of one file. */
export function threadsOf(comments: readonly Comment[], path: string): Threads {
  const own = comments.flatMap((comment) => (comment.place?.path === path ? [{ comment, place: comment.place }] : []));
  const at = new Map<string, Comment[]>();
  for (const { comment, place } of own) {
    if (place.now === null) continue;
    const key = threadKey(place.side, place.now);
    at.set(key, [...(at.get(key) ?? []), comment]);
  }
  return { at, outdated: own.filter(({ place }) => place.now === null).map(({ comment }) => comment) };
}
