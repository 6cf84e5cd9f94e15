import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";
import { environmentName, serviceName } from "../names.ts";

const slot = z.object({
  instance: z.string(),
  address: z.string(),
  state: z.enum(["ready", "drain", "maint"]),
  /** Share of the new requests in proportion to the other slots that are ready. */
  weight: z.int(),
});

const route = z.object({
  service: serviceName,
  environment: environmentName,
  /** Address for people, through the load balancer. */
  url: z.string(),
  /** Address for the other services of the environment. */
  internalUrl: z.string(),
  mode: z.enum(["open", "maintenance", "paused"]),
  /** When it opens by itself. */
  until: z.iso.datetime().nullable(),
  slots: z.array(slot),
});

export const routingEndpoints = endpoints({
  listRoutes: {
    method: "GET",
    path: "/api/routes",
    summary: "Every route of the load balancer and where it leads.",
    auth: { roles: anyRole },
    response: z.object({ routes: z.array(route) }),
  },
});
