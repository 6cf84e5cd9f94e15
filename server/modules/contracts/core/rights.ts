/** Who may do what with contracts. */
import { anyRole, developing, leading, type Role } from "#api/endpoint.ts";
import type { Principal } from "#kernel/http.ts";

/** `publish`: pacts, results, branches and tags; `change`: names, and what serves where; `manage`: environments, webhooks, removal. */
export type Action = "read" | "publish" | "change" | "manage";

const allowed: Record<Action, readonly Role[]> = {
  read: anyRole,
  publish: developing,
  change: developing,
  manage: leading,
};

/** Why the principal may not do it, as a sentence; undefined where it may. A job reads all; an agent nothing. */
export function whyNot(principal: Principal, action: Action): string | undefined {
  if (principal.kind === "user")
    return allowed[action].includes(principal.role)
      ? undefined
      : `${principal.name} may not do this: it takes one of the roles ${allowed[action].join(", ")}`;
  if (principal.kind === "agent" || principal.kind === "ingress" || !principal.grants.job)
    return `${principal.name} reaches no contracts by this token`;
  return action === "read" || action === "publish"
    ? undefined
    : `the job ${principal.name} may not do this: jobs read, and publish for the service that they build`;
}

/** The same of publishing pacts, results, branches and tags of a pacticipant. */
export function whyNotFor(principal: Principal, pacticipant: string): string | undefined {
  const not = whyNot(principal, "publish");
  if (not !== undefined || principal.kind !== "job" || principal.grants.pacticipant === pacticipant) return not;
  const own = principal.grants.pacticipant;
  return `the job ${principal.name} may not publish for ${pacticipant}: ${own === undefined ? "its service belongs to another repository" : `it does for ${own} alone, which it builds`}`;
}
