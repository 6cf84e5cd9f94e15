import type { Comment } from "#api/endpoints/pull-requests.ts";
import { refuse, RefusalError } from "#api/errors.ts";
import { accepted, paint, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

interface CommentFlags extends SessionFlags {
  json?: boolean;
  file?: string;
  line?: string;
  side: "old" | "new";
}

/** Says something about the whole, or about a line of the present diff. */
export async function addComment(flags: CommentFlags, repository: string, number: string, body: string): Promise<void> {
  const client = await openClient(flags);
  const params = { repository, number };
  const { file, line, side } = flags;
  if ((file === undefined) !== (line === undefined))
    throw new RefusalError(refuse("request.invalid", "--file and --line go together"));
  if (file === undefined) return show(accepted(await client.addComment({ params, body: { body } })), flags);
  const { base, head } = accepted(await client.showPullRequest({ params }));
  const place = { path: file, line: Number(line), side, revision: side === "old" && base ? base : head };
  show(accepted(await client.addComment({ params, body: { body, place } })), flags);
}

export async function listComments(
  flags: SessionFlags & { json?: boolean },
  repository: string,
  number: string,
): Promise<void> {
  const client = await openClient(flags);
  const { comments } = accepted(await client.listComments({ params: { repository, number } }));
  if (flags.json) return printJson({ comments });
  if (comments.length === 0) return print("Nobody has said anything.");
  comments.forEach((comment) => show(comment, {}));
}

function show(comment: Comment, { json }: { json?: boolean }): void {
  if (json) return printJson(comment);
  const { author, at, body, place } = comment;
  print(`${paint("bold", author)} ${paint("dim", `${at.slice(0, 16)}Z`)}  ${place ? whereOf(place) : ""}`);
  body.split("\n").forEach((line) => print(`  ${line}`));
}

function whereOf({ path, side, line, now, text }: NonNullable<Comment["place"]>): string {
  const at = `${path}:${now ?? line}${side === "old" ? " (as it was)" : ""}`;
  return now === null ? `${at} ${paint("yellow", "outdated")} ${paint("dim", text.trim())}` : at;
}
