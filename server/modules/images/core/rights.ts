/** Who may do what with which repository, and the scopes in which Docker's tokens say so. */
import { developing, leading } from "#api/endpoint.ts";
import type { Principal } from "#kernel/http.ts";
import { inCache, isRepository } from "./names.ts";

export const actions = ["pull", "push", "delete"] as const;
export type Action = (typeof actions)[number];

/** What a token opens, as it stands in its `access` claim. */
export interface Claim {
  type: "repository";
  name: string;
  actions: Action[];
}

/** Every user pulls, who develops pushes, who leads deletes; a job reaches what its grants name, and pulls copies of other registries; an agent nothing. */
export function mayDo(principal: Principal, repository: string, action: Action): boolean {
  if (principal.kind === "user")
    return action === "pull" || (action === "push" ? developing : leading).includes(principal.role);
  if (principal.kind !== "job") return false;
  const { repositories } = principal.grants;
  if (action === "pull" && inCache(repository)) return true;
  return Object.hasOwn(repositories, repository) && (repositories[repository] as string[]).includes(action);
}

/** More scopes than this in one request are left out: clients ask for one or two. */
const mostScopes = 50;

/** Claims that texts such as `repository:shop/catalog:pull,push repository:base:pull` ask for; others are left out. */
export function parseScopes(texts: readonly string[]): Claim[] {
  const wanted = texts.flatMap((text) => text.split(" ")).filter(Boolean);
  return wanted.slice(0, mostScopes).flatMap(parseScope);
}

function parseScope(text: string): Claim[] {
  const [, name = "", list = ""] = /^repository:([^:]+):([a-z*,]*)$/.exec(text) ?? [];
  if (!isRepository(name)) return [];
  const asked = new Set(list.split(","));
  return [{ type: "repository", name, actions: actions.filter((action) => asked.has(action) || asked.has("*")) }];
}

/** The part of the asked claims that the principal has; what is left without an action goes. */
export function allowedClaims(principal: Principal, asked: Claim[]): Claim[] {
  return asked
    .map((claim) => ({ ...claim, actions: claim.actions.filter((action) => mayDo(principal, claim.name, action)) }))
    .filter((claim) => claim.actions.length > 0);
}

export function claimed(claims: Claim[], repository: string, action: Action): boolean {
  return claims.some((claim) => claim.name === repository && claim.actions.includes(action));
}
