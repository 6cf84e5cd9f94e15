/** Opening and closing pull requests. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Tx } from "#kernel/database.ts";
import { type SourceContext, subjectOf } from "./context.ts";
import { type PullRequestRow, pullRequestStore } from "./pull-request-store.ts";
import { endClosed } from "./reconcile.ts";
import { noRepository } from "./repositories.ts";
import { type RepositoryRow, sourceStore } from "./store.ts";

export interface PullRequestKey {
  repository: string;
  number: number;
}

export interface NewPullRequest {
  repository: string;
  branch: string;
  title: string;
  body: string;
}

export async function openPullRequest(
  context: SourceContext,
  request: NewPullRequest,
  author: string,
): Promise<PullRequestRow | Refusal> {
  const { repository, branch } = request;
  return context.db.transaction().execute(async (tx) => {
    const row = await sourceStore(tx).lockRepository(repository);
    if (!row) return noRepository(repository);
    const head = (await sourceStore(tx).ref(repository, `refs/heads/${branch}`))?.revision;
    if (!head) return refuse("git.bad-revision", `${repository} has no branch ${branch}; push it first`);
    const refused = await nothingToMerge(context, { row, branch, head });
    if (refused) return refused;
    const open = (await pullRequestStore(tx).open(repository)).find((each) => each.branch === branch);
    if (open) return refuse("conflict", `${branch} has the open pull request ${open.number} already`);
    const number = await sourceStore(tx).takeNumber(repository);
    const made = await pullRequestStore(tx).insert({ ...request, number, author, head });
    await context.emit(tx, subjectOf(repository), "source.pull-request-opened", {
      ...{ repository, number, branch, head, actor: author },
    });
    return made;
  });
}

async function nothingToMerge(
  { reading }: SourceContext,
  { row, branch, head }: { row: RepositoryRow; branch: string; head: string },
): Promise<Refusal | undefined> {
  const target = row.default_branch;
  if (branch === target) return refuse("conflict", `${target} is what pull requests are merged into`);
  if (!(await reading.resolve(row.name, `refs/heads/${target}`)))
    return refuse("git.bad-revision", `${row.name} has no branch ${target} yet; push it first`);
  if (await reading.isAncestor(row.name, head, `refs/heads/${target}`))
    return refuse("conflict", `${target} contains ${branch} already; there is nothing to merge`);
  return undefined;
}

export async function closePullRequest(
  context: SourceContext,
  key: PullRequestKey,
  user: string,
): Promise<undefined | Refusal> {
  return onOpen(context, key, async (tx, each) => {
    await endClosed(context, tx, { each, actor: user });
    return undefined;
  });
}

/** Runs `work` on an open pull request while nobody else changes the repository's rows. */
export async function onOpen<T>(
  { db }: Pick<SourceContext, "db">,
  key: PullRequestKey,
  work: (tx: Tx, row: PullRequestRow) => Promise<T | Refusal>,
): Promise<T | Refusal> {
  return db.transaction().execute(async (tx) => {
    if (!(await sourceStore(tx).lockRepository(key.repository))) return noRepository(key.repository);
    const row = await findPullRequest({ db: tx }, key);
    if (isRefusal(row)) return row;
    if (row.state !== "open") return refuse("pull-request.closed", `it is ${row.state} already`);
    return work(tx, row);
  });
}

export async function findPullRequest(
  { db }: Pick<SourceContext, "db">,
  { repository, number }: PullRequestKey,
): Promise<PullRequestRow | Refusal> {
  const row = await pullRequestStore(db).find(repository, number);
  return row ?? refuse("not-found", `${repository} has no pull request ${number}`);
}
