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

/** A job reads all, and publishes for what its build is of; an agent nothing. */
export function mayDo(principal: Principal, action: Action): boolean {
  if (principal.kind === "user") return allowed[action].includes(principal.role);
  return principal.kind === "job" && principal.grants.job !== undefined && (action === "read" || action === "publish");
}

export function mayPublishFor(principal: Principal, pacticipant: string): boolean {
  if (!mayDo(principal, "publish")) return false;
  return principal.kind !== "job" || principal.grants.pacticipant === pacticipant;
}
