/** How pull requests show. */
import type { PullRequest } from "#api/endpoints/pull-requests.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { refuseFaults } from "#pipeline/fault.ts";
import type { SourceContext } from "./context.ts";
import { approvalCounts, mergeBlockers, type MergeRules } from "./core/merge-rule.ts";
import type { Commit } from "./core/log-format.ts";
import { mergedTree, reviewOf } from "./merge.ts";
import type { PullRequestRow } from "./pull-request-store.ts";
import { reviewStore } from "./review-store.ts";
import { whyOwn } from "./reviews.ts";

/** How pull requests of one repository show, with two questions to the database for all of them. */
export async function viewPullRequests(
  { db }: Pick<SourceContext, "db">,
  rows: PullRequestRow[],
  { target, rules }: { target: string; rules: MergeRules },
): Promise<PullRequest[]> {
  const repository = rows[0]?.repository ?? "";
  const store = reviewStore(db);
  const approvals = await store.approvals(
    repository,
    rows.map(({ number }) => number),
  );
  const requests = await store.changeRequests(
    repository,
    rows.map(({ number }) => number),
  );
  const heads = rows.map(({ head }) => head);
  const checks = await store.checks(repository, heads);
  const ofServices = await store.serviceChecks(repository, heads);
  return rows.map((row) => {
    const own = approvals.filter(({ number }) => number === row.number);
    const asking = requests.filter(({ number }) => number === row.number);
    const check = checks.find(({ commit }) => commit === row.head);
    const serviceChecks = ofServices.filter(({ commit }) => commit === row.head);
    const situation = {
      ...row,
      ...{ check: check && { ...check, ofServices: check.of_services }, serviceChecks },
      approvals: own.map(reviewOf),
      changesRequested: asking.map(reviewOf),
    };
    return viewOne(row, {
      target,
      check,
      serviceChecks,
      approvals: own,
      asking,
      waits: mergeBlockers(situation, rules),
    });
  });
}

const commitsLimit = 250;

/** One pull request with what it changes; where nothing else stands in the way, the merge is tried without being kept. */
export async function detailOf(
  context: SourceContext,
  row: PullRequestRow,
  { target, rules, user }: { target: string; rules: MergeRules; user: string },
) {
  const { repository, head } = row;
  const [view] = await viewPullRequests(context, [row], { target, rules });
  if (!view) throw new Error("a pull request has no view");
  const against = await comparedWith(context, row, target);
  const range = { older: against, newer: head, limit: commitsLimit };
  const commits = await context.reading.commitsBetween(repository, range);
  const files = await context.reading.changedFiles(repository, against, head);
  const waitsFor = row.state === "open" ? [...view.waitsFor, ...(await conflictsOf(context, row, target))] : [];
  const own = await whyOwn(context, row, user);
  return {
    ...{ ...view, waitsFor, files, commits: commits.map(viewCommit) },
    base: (await context.reading.mergeBase(repository, against, head)) ?? null,
    mayNotReview: own ? reasonOf(own) : null,
  };
}

/** What is merged is compared with the other side of its merge. */
export async function comparedWith(context: SourceContext, row: PullRequestRow, target: string): Promise<string> {
  const base = (await context.reading.resolve(row.repository, `refs/heads/${target}`)) ?? row.head;
  const merged = row.state === "merged" && row.merge_commit !== null;
  return (merged ? await firstParent(context, row) : base) ?? base;
}

async function firstParent({ reading }: SourceContext, { repository, merge_commit }: PullRequestRow) {
  return (await reading.commit(repository, merge_commit ?? ""))?.parents[0];
}

/** What only the files tell: that both sides changed the same, or that a guard finds a fault in what would become. */
async function conflictsOf(context: SourceContext, { repository, head }: PullRequestRow, target: string) {
  const base = (await context.reading.resolve(repository, `refs/heads/${target}`)) ?? head;
  const tree = await mergedTree(context, { repository, base, head });
  if (isRefusal(tree)) return [reasonOf(tree)];
  const faults = await context.guards.faults(context.reading, repository, tree);
  return faults.length === 0 ? [] : [reasonOf(refuseFaults("environment.invalid", faults))];
}

const reasonOf = ({ refused: code, message }: Refusal) => ({ code, message });

export function viewCommit({ at, ...commit }: Commit) {
  return { ...commit, at: at.toISOString() };
}

type ApprovalRow = Awaited<ReturnType<ReturnType<typeof reviewStore>["approvals"]>>[number];
type ServiceCheckRow = Awaited<ReturnType<ReturnType<typeof reviewStore>["serviceChecks"]>>[number];
type CheckRow = Awaited<ReturnType<ReturnType<typeof reviewStore>["checks"]>>[number];

interface Surroundings {
  target: string;
  approvals: ApprovalRow[];
  asking: ApprovalRow[];
  check: CheckRow | undefined;
  serviceChecks: ServiceCheckRow[];
  waits: Refusal[];
}

function viewOne(
  row: PullRequestRow,
  { target, approvals, asking, check, serviceChecks, waits }: Surroundings,
): PullRequest {
  const { merge_commit, ended_by, created_at, ended_at, ...same } = row;
  return {
    ...same,
    target,
    approvals: approvals.map(({ user_name: user, revision, at }) => ({
      user,
      revision,
      at: at.toISOString(),
      counts: approvalCounts({ user, revision }, row.head, row.author),
    })),
    changesRequested: asking.map((each) => ({ ...reviewOf(each), at: each.at.toISOString() })),
    check: check ? { build: check.build, number: check.number, outcome: outcomeOf(check, serviceChecks) } : null,
    checks: serviceChecks.map(({ service, outcome, reason, build, number }) => ({
      service,
      outcome,
      reason,
      build,
      number,
    })),
    waitsFor: row.state === "open" ? waits.map(reasonOf) : [],
    mergeCommit: row.state === "merged" ? merge_commit : null,
    endedBy: row.state === "open" ? null : ended_by,
    createdAt: created_at.toISOString(),
    endedAt: ended_at?.toISOString() ?? null,
  };
}

/** A build that failed for services alone has passed once each of them has, by a retry of its own build. */
function outcomeOf({ outcome, of_services: ofServices }: CheckRow, services: readonly ServiceCheckRow[]) {
  return ofServices && services.every((each) => each.outcome === "passed") ? "passed" : outcome;
}
