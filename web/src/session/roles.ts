/** As in the rows of the endpoints, whose code stays on the server. */
import type { Role } from "#api/endpoint.ts";

export const developing: readonly Role[] = ["developer", "lead", "admin"];
export const unblocking: readonly Role[] = ["developer", "analyst", "lead", "admin"];
export const leading: readonly Role[] = ["lead", "admin"];
export const reviewing: readonly Role[] = ["developer", "analyst", "lead", "admin"];
