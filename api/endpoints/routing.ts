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

/** Of the requests of some seconds; `requests` a second, `failed` the share that was answered 5xx, `p95` milliseconds until the answer began. */
const figures = z.object({ requests: z.number(), failed: z.number(), p95: z.number().nullable() });

/** Figures of five seconds that began so many seconds ago. */
export const point = figures.extend({ ago: z.int() });

export const routingEndpoints = endpoints({
  showTraffic: {
    method: "GET",
    path: "/api/environments/:environment/traffic",
    summary: "Who asks whom in an environment, how often and how well, as the load balancer saw it in the last minute.",
    auth: { roles: anyRole },
    params: z.object({ environment: environmentName }),
    response: z.object({
      /** Over so many seconds the figures go: fewer than a minute where the balancer began anew, or is asked more than it remembers. */
      seconds: z.int(),
      services: z.array(figures.extend({ service: serviceName, history: z.array(point) })),
      calls: z.array(
        figures.extend({
          /** Null for people, and whoever else is no instance. */
          from: z.object({ service: serviceName, environment: environmentName }).nullable(),
          to: serviceName,
        }),
      ),
      instances: z.array(figures.extend({ instance: z.string() })),
    }),
    errors: ["host.docker-missing"],
  },
  listRoutes: {
    method: "GET",
    path: "/api/routes",
    summary: "Every route of the load balancer and where it leads.",
    auth: { roles: anyRole },
    response: z.object({ routes: z.array(route) }),
  },
});
