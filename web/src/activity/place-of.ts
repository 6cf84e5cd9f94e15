/** The page of what an event is about. Pure. */
import type { Entry } from "./export.ts";

type Place =
  | { to: "/builds/$repository/$number"; params: { repository: string; number: string } }
  | { to: "/pull-requests/$repository/$number"; params: { repository: string; number: string } }
  | { to: "/services/$service/releases/$number"; params: { service: string; number: string } }
  | { to: "/services/$service"; params: { service: string } }
  | { to: "/environments/$environment"; params: { environment: string } };

/** Undefined where there is no page for it. */
export function placeOf({ name, facts }: Pick<Entry, "name" | "facts">): Place | undefined {
  const { repository, service, environment } = facts;
  const number = typeof facts["number"] === "number" ? String(facts["number"]) : undefined;
  const [module] = name.split(".");
  if (isName(repository) && number && module === "builds")
    return { to: "/builds/$repository/$number", params: { repository, number } };
  if (isName(repository) && number && module === "source")
    return { to: "/pull-requests/$repository/$number", params: { repository, number } };
  if (isName(service) && number) return { to: "/services/$service/releases/$number", params: { service, number } };
  if (isName(service)) return { to: "/services/$service", params: { service } };
  if (isName(environment)) return { to: "/environments/$environment", params: { environment } };
  return undefined;
}

/** `*` stands for all of them. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "*";
}
