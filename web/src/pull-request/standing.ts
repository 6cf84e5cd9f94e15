import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

export type PullRequest = Output<"listPullRequests">["pullRequests"][number];
export type Detail = Output<"showPullRequest">;
export type Comment = Output<"listComments">["comments"][number];

/** How a pull request stands, in a word or two. */
export function standing({ state, waitsFor }: Pick<PullRequest, "state" | "waitsFor">): { tone: Tone; word: string } {
  if (state === "merged") return { tone: "good", word: "merged" };
  if (state === "closed") return { tone: "none", word: "closed" };
  const codes = new Set(waitsFor.map(({ code }) => code));
  if (codes.size === 0) return { tone: "good", word: "ready to merge" };
  if (codes.has("pull-request.conflicts")) return { tone: "bad", word: "conflicts" };
  if (codes.has("pull-request.changes-requested")) return { tone: "waiting", word: "changes asked for" };
  if (codes.has("pull-request.not-approved")) return { tone: "waiting", word: "waits for approval" };
  if (codes.has("pull-request.not-green")) return { tone: "waiting", word: "waits for its build" };
  return { tone: "waiting", word: "waits" };
}

/** What was said about one line together, in the order in which it began; a word on the whole stands alone. */
export function threadsIn(comments: readonly Comment[]): [Comment, ...Comment[]][] {
  const threads = new Map<string, [Comment, ...Comment[]]>();
  for (const comment of comments) {
    const { id, place } = comment;
    const key = place ? JSON.stringify([place.path, place.side, place.now ?? [place.revision, place.line]]) : id;
    const thread = threads.get(key);
    if (thread) thread.push(comment);
    else threads.set(key, [comment]);
  }
  return [...threads.values()];
}
