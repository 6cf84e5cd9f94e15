/** What reviewers decide: an approval, or that something is to be changed first. */
import { isRefusal, refuse, type Refusal, RefusalError } from "#api/errors.ts";
import type { Tx } from "#kernel/database.ts";
import { insertComment } from "./comments.ts";
import { type SourceContext, subjectOf } from "./context.ts";
import type { PullRequestRow } from "./pull-request-store.ts";
import { onOpen, type PullRequestKey } from "./pull-requests.ts";
import { reviewStore } from "./review-store.ts";
import { sourceStore } from "./store.ts";

export interface Verdict {
  user: string;
  /** The head that the user has read. */
  revision: string | undefined;
  comment: string | undefined;
}

/** Binds the user's approval to the present head, and ends what he asked to be changed. */
export async function approvePullRequest(
  context: SourceContext,
  key: PullRequestKey,
  verdict: Verdict,
): Promise<undefined | Refusal> {
  return decide(context, { key, verdict }, async (tx, head) => {
    const { user } = verdict;
    const store = reviewStore(tx);
    await store.endRequest(key, user);
    const row = { ...key, user_name: user, revision: head, at: context.clock.now() };
    if (await store.approve(row))
      await context.emit(tx, subjectOf(key.repository), "source.pull-request-approved", { ...key, user, actor: user });
  });
}

/** Nothing is merged until the user approves, or it is withdrawn. */
export async function requestChanges(
  context: SourceContext,
  key: PullRequestKey,
  verdict: Verdict,
): Promise<undefined | Refusal> {
  return decide(context, { key, verdict }, async (tx, head) => {
    const { user } = verdict;
    const store = reviewStore(tx);
    await store.endApproval(key, user);
    const row = { ...key, user_name: user, revision: head, at: context.clock.now() };
    if (await store.requestChanges(row))
      await context.emit(tx, subjectOf(key.repository), "source.changes-requested", { ...key, user, actor: user });
  });
}

export async function withdrawRequest(
  context: SourceContext,
  { user, ...key }: PullRequestKey & { user: string },
  caller: { name: string; role: string },
): Promise<undefined | Refusal> {
  if (user !== caller.name && caller.role !== "lead" && caller.role !== "admin")
    return refuse("auth.forbidden", `only ${user}, a lead or an admin withdraws it`);
  return onOpen(context, key, async (tx) => {
    if (!(await reviewStore(tx).endRequest(key, user)))
      return refuse("not-found", `${user} asks for no changes of pull request ${key.number}`);
    const facts = { ...key, user, actor: caller.name };
    await context.emit(tx, subjectOf(key.repository), "source.change-request-withdrawn", facts);
    return undefined;
  });
}

/** Why this person's word would be about work of their own; undefined where it is not. */
export async function whyOwn(
  { db }: Pick<SourceContext, "db">,
  { repository, author, branch }: PullRequestRow,
  user: string,
): Promise<Refusal | undefined> {
  const pusher = (await sourceStore(db).ref(repository, `refs/heads/${branch}`))?.actor;
  if (user !== author && user !== pusher) return undefined;
  return refuse("pull-request.own", user === author ? "you opened it" : "you pushed its head", {
    fix: "Ask somebody else to review it.",
  });
}

interface Decision {
  key: PullRequestKey;
  verdict: Verdict;
}

async function decide(
  context: SourceContext,
  { key, verdict: { user, revision, comment } }: Decision,
  keep: (tx: Tx, head: string) => Promise<void>,
): Promise<undefined | Refusal> {
  return onOpen(context, key, async (tx, row) => {
    if (revision !== undefined && revision !== row.head)
      return refuse("conflict", `the head has moved to ${row.head}; read it again`);
    const own = await whyOwn({ db: tx }, row, user);
    if (own) return own;
    await keep(tx, row.head);
    if (comment === undefined) return undefined;
    const said = await insertComment(context, tx, { key, author: user, body: comment });
    // Word and decision stay or fall together.
    if (isRefusal(said)) throw new RefusalError(said);
    return undefined;
  });
}
