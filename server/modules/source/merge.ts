/** Merges a pull request: content first, then the ref, then row and events; a server killed in between finds its way at the next start. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { untilHeard } from "#kernel/outbox.ts";
import { type SourceContext, subjectOf } from "./context.ts";
import { refuseFaults } from "#pipeline/fault.ts";
import { identityText } from "./core/commit-stream.ts";
import { mergeBlockers, type MergeSituation } from "./core/merge-rule.ts";
import { findPullRequest, type PullRequestKey } from "./pull-requests.ts";
import { type PullRequestRow, pullRequestStore } from "./pull-request-store.ts";
import { noRepository, viewRepository } from "./repositories.ts";
import { reconcile } from "./reconcile.ts";
import { reviewStore } from "./review-store.ts";
import { sourceStore } from "./store.ts";

const mergeDeadlineMs = 120_000;

/** Merges into the default branch by a merge commit of the user's, or says why not. */
export async function mergePullRequest(
  context: SourceContext,
  key: PullRequestKey,
  user: string,
): Promise<undefined | Refusal> {
  const refused = await context.writers.write(key.repository, user, async () => {
    await reconcile(context, key.repository);
    const ready = await readyToMerge(context, key);
    if (isRefusal(ready)) return ready;
    const { row, target, base } = ready;
    const tree = await mergedTree(context, { repository: key.repository, base, head: row.head });
    if (isRefusal(tree)) return tree;
    const faults = await context.guards.faults(context.reading, key.repository, tree);
    if (faults.length > 0) return refuseFaults("environment.invalid", faults);
    const commit = await commitMerge(context, { row, base, tree, user });
    await pullRequestStore(context.db).intendMerge(key.repository, key.number, { commit, user });
    const args = ["update-ref", `refs/heads/${target}`, commit, base];
    await context.git.read({ directory: context.places.of(key.repository), args });
    return undefined;
  });
  if (!refused) await untilHeard(context.db, subjectOf(key.repository));
  return refused;
}

async function readyToMerge(context: SourceContext, key: PullRequestKey) {
  const repository = await sourceStore(context.db).repository(key.repository);
  if (!repository) return noRepository(key.repository);
  const row = await findPullRequest(context, key);
  if (isRefusal(row)) return row;
  const [blocker] = mergeBlockers(await situationOf(context, row), viewRepository(repository));
  if (blocker) return blocker;
  const target = repository.default_branch;
  const base = await context.reading.resolve(key.repository, `refs/heads/${target}`);
  if (!base) return refuse("git.bad-revision", `${key.repository} has no branch ${target}`);
  if (await context.reading.isAncestor(key.repository, row.head, base))
    return refuse("conflict", `${target} contains ${row.branch} already; there is nothing to merge`);
  return { row, target, base };
}

async function situationOf({ db }: Pick<SourceContext, "db">, row: PullRequestRow): Promise<MergeSituation> {
  const store = reviewStore(db);
  const approvals = await store.approvals(row.repository, [row.number]);
  const requests = await store.changeRequests(row.repository, [row.number]);
  const [check] = await store.checks(row.repository, [row.head]);
  const serviceChecks = await store.serviceChecks(row.repository, [row.head]);
  return {
    ...row,
    approvals: approvals.map(reviewOf),
    changesRequested: requests.map(reviewOf),
    ...{ check: check && { ...check, ofServices: check.of_services }, serviceChecks },
  };
}

export function reviewOf({ user_name: user, revision }: { user_name: string; revision: string }) {
  return { user, revision };
}

interface Sides {
  repository: string;
  base: string;
  head: string;
}

/** The tree of both sides together, or the refusal that names the files in conflict. */
export async function mergedTree({ git, places }: SourceContext, sides: Sides): Promise<string | Refusal> {
  const { code, stdout, stderr } = await git.run({
    directory: places.of(sides.repository),
    args: ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", sides.base, sides.head],
    deadlineMs: mergeDeadlineMs,
  });
  const [tree = "", ...files] = stdout.toString("utf8").split("\0").filter(Boolean);
  if (code === 0) return tree;
  if (/unrelated histories/.test(stderr))
    return refuse("pull-request.conflicts", "the branches have no commit in common");
  if (code !== 1) throw new Error(`git merge-tree ended with ${code}: ${stderr.trim()}`);
  const named = files.slice(0, 100);
  return refuse("pull-request.conflicts", `both sides changed ${named.join(", ")}`, {
    fix: "Merge the default branch into yours by hand, and push.",
    details: { files: named },
  });
}

interface Merge {
  row: PullRequestRow;
  base: string;
  tree: string;
  user: string;
}

async function commitMerge(context: SourceContext, { row, base, tree, user }: Merge): Promise<string> {
  const at = `${Math.floor(context.clock.now().getTime() / 1000)} +0000`;
  const name = identityText(user);
  const email = `${name}@towline.localhost`;
  const body = row.body === "" ? "" : `\n\n${row.body}`;
  const output = await context.git.read({
    directory: context.places.of(row.repository),
    args: ["commit-tree", "-p", base, "-p", row.head, "-F", "-", tree],
    input: `Merge pull request #${row.number}: ${row.title}${body}\n`,
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: at,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: at,
    },
  });
  return output.toString("latin1").trim();
}
