import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";

/** One fact about a machine or the platform. `warning` lets Towline run, `bad` keeps something of it from working. */
export const healthRow = z.object({
  name: z.string(),
  verdict: z.enum(["good", "warning", "bad"]),
  found: z.string(),
  fix: z.string().optional().describe("What to do, where the verdict is not good."),
});
export type HealthRow = z.output<typeof healthRow>;

export const healthEndpoints = endpoints({
  showHealth: {
    method: "GET",
    path: "/api/health",
    summary: "How the platform and the server's machine do, and what to do about what is not good.",
    auth: { roles: anyRole },
    response: z.object({
      /** Database, events, agents, disk, load balancer. */
      platform: z.array(healthRow),
      /** What the server's machine has of what Towline needs. */
      machine: z.array(healthRow),
    }),
  },
});
