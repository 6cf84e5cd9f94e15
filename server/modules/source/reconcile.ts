/** Compares Git's refs with the table and tells the difference: the only place where `source.ref-changed` is emitted. */
import type { Tx } from "#kernel/database.ts";
import { actorField, type SourceContext, subjectOf } from "./context.ts";
import { branchOf, type RefChange, refChanges } from "./core/ref-changes.ts";
import { type PullRequestRow, pullRequestStore } from "./pull-request-store.ts";
import { type RepositoryRow, sourceStore } from "./store.ts";

export const maintainTask = "source.maintain";

/** Maintenance runs at these round times, so that pushes in between ask for the same run. */
const maintainEveryMs = 10 * 60 * 1000;

type Deps = Pick<SourceContext, "db" | "emit" | "jobs" | "clock" | "reading">;

/**
 * Brings table, pull requests and events up to what Git has, in one transaction; running it again changes nothing.
 * @param actor who moved the refs, where known
 */
export async function reconcile(deps: Deps, repository: string, actor?: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const row = await sourceStore(tx).lockRepository(repository);
    if (!row) return;
    const changes = refChanges(await sourceStore(tx).refs(repository), await deps.reading.refs(repository));
    if (changes.length === 0) return;
    const open = await pullRequestStore(tx).open(repository);
    for (const change of changes) await tell(deps, tx, { row, change, actor: mergerOf(open, row, change) ?? actor });
    await followBranches(deps, tx, { row, changes, open, actor });
    const next = new Date(Math.ceil(deps.clock.now().getTime() / maintainEveryMs) * maintainEveryMs);
    await deps.jobs.add(tx, maintainTask, { repository }, { key: `${maintainTask}:${repository}`, runAt: next });
  });
}

/** Who merged, when the default branch stands where a merge was about to put it: the server may have been killed since. */
function mergerOf(open: PullRequestRow[], row: RepositoryRow, { ref, after }: RefChange): string | undefined {
  if (branchOf(ref) !== row.default_branch || after === undefined) return undefined;
  return open.find((each) => each.merge_commit === after)?.ended_by ?? undefined;
}

interface Told {
  row: RepositoryRow;
  change: RefChange;
  actor: string | undefined;
}

async function tell({ emit }: Deps, tx: Tx, { row, change, actor }: Told): Promise<void> {
  const { ref, after } = change;
  if (after === undefined) await sourceStore(tx).deleteRef(row.name, ref);
  else await sourceStore(tx).putRef(row.name, ref, { revision: after, actor: actor ?? null });
  await emit(tx, subjectOf(row.name), "source.ref-changed", { repository: row.name, ...change, ...actorField(actor) });
}

interface Followed {
  row: RepositoryRow;
  changes: RefChange[];
  open: PullRequestRow[];
  actor: string | undefined;
}

/** Open pull requests get their new heads; those that the default branch now contains are merged, those without a branch closed. */
async function followBranches(deps: Deps, tx: Tx, { row, changes, open, actor }: Followed): Promise<void> {
  const store = pullRequestStore(tx);
  const moved = new Map(changes.map(({ ref, after }) => [branchOf(ref), after]));
  const landed = open.length > 0 ? moved.get(row.default_branch) : undefined;
  const contained = landed ? await deps.reading.branchesIn(row.name, landed) : undefined;
  for (const each of open) {
    const after = moved.get(each.branch);
    if (after) await store.moveHead(row.name, each.branch, after);
    if (landed && contained?.has(`refs/heads/${each.branch}`)) await endMerged(deps, tx, { each, landed, actor });
    else if (moved.has(each.branch) && !after) await endClosed(deps, tx, { each, actor });
  }
}

async function endMerged(
  { emit }: Deps,
  tx: Tx,
  { each, landed, actor }: { each: PullRequestRow; landed: string; actor: string | undefined },
): Promise<void> {
  const by = each.merge_commit === landed ? (each.ended_by ?? undefined) : actor;
  await pullRequestStore(tx).end(each, { state: "merged", merge_commit: landed, ended_by: by ?? null });
  const { repository, number } = each;
  await emit(tx, subjectOf(repository), "source.pull-request-merged", {
    repository,
    number,
    commit: landed,
    ...actorField(by),
  });
}

/** Ends a pull request without a merge. */
export async function endClosed(
  { emit }: Pick<Deps, "emit">,
  tx: Tx,
  { each, actor }: { each: PullRequestRow; actor: string | undefined },
): Promise<void> {
  const { repository, number } = each;
  await pullRequestStore(tx).end(each, { state: "closed", merge_commit: null, ended_by: actor ?? null });
  await emit(tx, subjectOf(repository), "source.pull-request-closed", { repository, number, ...actorField(actor) });
}
