/** As in the rows of the endpoints, whose code stays on the server. */
import type { Role } from "#api/endpoint.ts";

export const developing: readonly Role[] = ["developer", "lead", "admin"];
export const unblocking: readonly Role[] = ["developer", "analyst", "lead", "admin"];
export const leading: readonly Role[] = ["lead", "admin"];
export const reviewing: readonly Role[] = ["developer", "analyst", "lead", "admin"];

/** What each may do beside what those before it may. */
export const powers: Record<Role, string> = {
  viewer: "sees everything",
  developer: "pushes, builds, opens gates, deploys, rolls back, locks, reviews",
  analyst: "opens gates, signs off, reviews; deploys nothing",
  lead: "also overrides freezes, sets secrets, cleans up",
  admin: "also people, their tokens and passwords, and what happened",
};
export const everyRole = Object.keys(powers) as Role[];
