/** What stands between a pull request and its merge, as far as it shows without looking at the files. */
import { refuse, type Refusal } from "#api/errors.ts";

export interface MergeRules {
  requiredApprovals: number;
  requireBuild: boolean;
}

export interface MergeSituation {
  state: "open" | "merged" | "closed";
  author: string;
  head: string;
  approvals: readonly { user: string; revision: string }[];
  /** The newest finished build of the head. */
  check?: { number: number; outcome: "passed" | "failed" | "canceled" } | undefined;
}

/** Every reason, the one to settle first in front. */
export function mergeBlockers(situation: MergeSituation, rules: MergeRules): Refusal[] {
  if (situation.state !== "open") return [refuse("pull-request.closed", `it is ${situation.state} already`)];
  return [...approvalBlockers(situation, rules), ...buildBlockers(situation, rules)];
}

/** Whether the approval is of the present head and by somebody else than the author. */
export function approvalCounts(approval: { user: string; revision: string }, head: string, author: string): boolean {
  return approval.revision === head && approval.user !== author;
}

function approvalBlockers({ approvals, head, author }: MergeSituation, { requiredApprovals }: MergeRules): Refusal[] {
  const count = new Set(approvals.filter((each) => approvalCounts(each, head, author)).map(({ user }) => user)).size;
  if (count >= requiredApprovals) return [];
  const fallen = approvals.some((each) => each.revision !== head) ? "; earlier ones fell when the head moved" : "";
  return [
    refuse(
      "pull-request.not-approved",
      `${short(head)} has ${count} of ${requiredApprovals} required approvals${fallen}`,
      { fix: "Ask somebody other than the author to review and approve it." },
    ),
  ];
}

function buildBlockers({ check, head }: MergeSituation, { requireBuild }: MergeRules): Refusal[] {
  if (!requireBuild || check?.outcome === "passed") return [];
  const message = check
    ? `build ${check.number} of ${short(head)} ${check.outcome}`
    : `no build of ${short(head)} has finished yet`;
  const fix = check ? "Push a repair, or retry the build." : "Wait for the build.";
  return [refuse("pull-request.not-green", message, { fix })];
}

const short = (revision: string) => revision.slice(0, 8);
