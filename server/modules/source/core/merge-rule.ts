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
  changesRequested: readonly { user: string; revision: string }[];
  /** The newest finished build of the head. */
  check?: { number: number; outcome: Outcome; ofServices: boolean } | undefined;
  /** Of each service, where the repository has several. */
  serviceChecks: readonly { service: string; number: number; outcome: Outcome | null }[];
}

type Outcome = "passed" | "failed" | "canceled";

/** Every reason, the one to settle first in front. */
export function mergeBlockers(situation: MergeSituation, rules: MergeRules): Refusal[] {
  if (situation.state !== "open") return [refuse("pull-request.closed", `it is ${situation.state} already`)];
  return [...requestBlockers(situation), ...approvalBlockers(situation, rules), ...buildBlockers(situation, rules)];
}

/** Whether the approval is of the present head and by somebody else than the author. */
export function approvalCounts(approval: { user: string; revision: string }, head: string, author: string): boolean {
  return approval.revision === head && approval.user !== author;
}

function requestBlockers({ changesRequested }: MergeSituation): Refusal[] {
  return changesRequested.map(({ user, revision }) =>
    refuse("pull-request.changes-requested", `${user} asks for changes since ${short(revision)}`, {
      fix: `It ends when ${user} approves or withdraws it; a lead may withdraw it too.`,
    }),
  );
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

/** Whether the build of the repository lets it pass: by itself, or but for services, whose own newest builds decide then. */
export const passesBut = (check: MergeSituation["check"]): boolean =>
  check !== undefined && (check.outcome === "passed" || check.ofServices);

function buildBlockers({ check, serviceChecks, head }: MergeSituation, { requireBuild }: MergeRules): Refusal[] {
  if (!requireBuild) return [];
  const red = serviceChecks.filter(({ outcome }) => outcome !== "passed");
  if (passesBut(check)) return red.slice(0, mostNamed).map((each) => serviceBlocker(each, head));
  const message = check
    ? `build ${check.number} of ${short(head)} ${check.outcome}`
    : `no build of ${short(head)} has finished yet`;
  const fix = check ? "Push a repair, or retry the build." : "Wait for the build.";
  return [refuse("pull-request.not-green", message, { fix })];
}

const mostNamed = 10;

function serviceBlocker({ service, number, outcome }: MergeSituation["serviceChecks"][number], head: string): Refusal {
  const message = `build ${number} of ${short(head)} for the service ${service} ${outcome ?? "has not ended"}`;
  const fix = outcome === null ? "Wait for the build." : "Push a repair, or retry the build.";
  return refuse("pull-request.not-green", message, { fix });
}

const short = (revision: string) => revision.slice(0, 8);
