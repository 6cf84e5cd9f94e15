/** What people say about pull requests, on the whole or on a line. */
import type { Comment } from "#api/endpoints/pull-requests.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import { type CommentRow, commentStore } from "./comment-store.ts";
import { type SourceContext, subjectOf } from "./context.ts";
import { onOpen, type PullRequestKey } from "./pull-requests.ts";

export interface NewComment {
  author: string;
  body: string;
  place?: Pick<NonNullable<Comment["place"]>, "path" | "side" | "line" | "revision"> | undefined;
}

const mostComments = 500;
const textLimit = 500;

/** A comment stays with the commit, side and line that it was made on. */
export async function addComment(
  context: SourceContext,
  key: PullRequestKey,
  { author, body, place }: NewComment,
): Promise<CommentRow | Refusal> {
  const at = place && (await lineAt(context, key.repository, place));
  if (isRefusal(at)) return at;
  return onOpen(context, key, (tx) => insertComment(context, tx, { key, author, body, at }));
}

type Line = Pick<CommentRow, "path" | "side" | "line" | "revision" | "line_text">;

const nowhere: Line = { path: null, side: null, line: null, revision: null, line_text: null };

interface Insert {
  key: PullRequestKey;
  author: string;
  body: string;
  at?: Line | undefined;
}

export async function insertComment(
  { clock, emit }: Pick<SourceContext, "clock" | "emit">,
  tx: Tx,
  { key: { repository, number }, author, body, at = nowhere }: Insert,
): Promise<CommentRow | Refusal> {
  const store = commentStore(tx);
  if ((await store.count(repository, number)) >= mostComments)
    return refuse("limit.reached", `a pull request takes ${mostComments} comments, and this one has as many`);
  const row = { id: newId(), repository, number, author, body, at: clock.now(), ...at };
  await store.insert(row);
  const said = { repository, number, comment: row.id, actor: author };
  await emit(tx, subjectOf(repository), "source.comment-added", said);
  return row;
}

async function lineAt(
  { reading }: SourceContext,
  repository: string,
  { path, side, line, revision }: NonNullable<NewComment["place"]>,
): Promise<Line | Refusal> {
  const content = await reading.readFile(repository, revision, path);
  const text = content?.replace(/\n$/, "").split("\n")[line - 1];
  if (text === undefined)
    return refuse("pull-request.no-line", `${path} has no line ${line} at ${revision.slice(0, 8)}`, {
      fix: "Take file and line from the diff; the old side has the base's, the new one the head's.",
    });
  return { path, side, line, revision, line_text: text.replace(/\r$/, "").slice(0, textLimit) };
}

export async function removeComment(
  { db, emit }: SourceContext,
  { repository, number, comment }: PullRequestKey & { comment: string },
  caller: { name: string; role: string },
): Promise<{ removed: true } | Refusal> {
  return db.transaction().execute(async (tx) => {
    const row = await commentStore(tx).find(comment);
    if (row?.repository !== repository || row.number !== number)
      return refuse("not-found", `pull request ${number} of ${repository} has no such comment`);
    if (row.author !== caller.name && caller.role !== "admin")
      return refuse("auth.forbidden", `${row.author} said it; only they or an admin remove it`);
    await commentStore(tx).remove(comment);
    const facts = { repository, number, comment, author: row.author, actor: caller.name };
    await emit(tx, subjectOf(repository), "source.comment-removed", facts);
    return { removed: true as const };
  });
}

interface Sides {
  repository: string;
  /** What the old side is of, where it can be told. */
  base: string | undefined;
  head: string;
}

/** As they show: each line where it stands at the head, or in what the head is compared with. */
export async function viewComments(
  { reading }: Pick<SourceContext, "reading">,
  rows: CommentRow[],
  { repository, base, head }: Sides,
): Promise<Comment[]> {
  const now = new Map<string, number | undefined>();
  const files = Map.groupBy(
    rows.filter((row) => row.path !== null),
    ({ revision, path, side }) => JSON.stringify([revision, path, side]),
  );
  for (const [, together] of files) {
    const [{ revision, path, side } = { revision: null, path: null, side: null }] = together;
    const to = side === "old" ? base : head;
    if (revision === null || path === null || to === undefined) continue;
    const lines = together.map(({ line }) => line ?? 0);
    const found = await reading.linesNow(repository, { from: revision, to, path }, lines);
    together.forEach(({ id }, index) => now.set(id, found[index]));
  }
  return rows.map((row) => viewComment(row, now.get(row.id)));
}

export function viewComment(row: CommentRow, now: number | undefined): Comment {
  const { id, author, body, at, path, side, line, revision, line_text: text } = row;
  const place =
    path === null || side === null || line === null || revision === null
      ? null
      : { path, side, line, revision, text: text ?? "", now: now ?? null };
  return { id, author, body, at: at.toISOString(), place };
}
