/** One place, looked at from near: an environment with its rules, a service in it, and a rollout with its traffic. */
import { z } from "zod";
import { anyRole, endpoints, leading } from "../endpoint.ts";
import { environmentName, serviceName, uuid } from "../names.ts";
import { deployment, gate } from "./deployments.ts";
import { point } from "./routing.ts";

const variable = z.object({
  name: z.string(),
  /** Where its value comes from; the value itself is never told. */
  from: z.enum(["value", "secret", "backing"]),
});

const side = z.object({
  instances: z.array(z.string()),
  /** Of the new requests, 0 to 1. */
  share: z.number(),
  /** From the oldest to the newest. */
  points: z.array(point),
});

export const placeEndpoints = endpoints({
  showEnvironment: {
    method: "GET",
    path: "/api/environments/:environment",
    summary: "The rules of an environment, whether it is frozen now, and what waits at which gates.",
    auth: { roles: anyRole },
    params: z.object({ environment: environmentName }),
    response: z.object({
      name: environmentName,
      target: z.string(),
      domain: z.string().nullable(),
      after: z.string().nullable(),
      /** Milliseconds for which a new release is watched. */
      watch: z.int(),
      signOffs: z.array(
        z.object({ name: z.string(), roles: z.array(z.string()), users: z.array(z.string()), count: z.int() }),
      ),
      freezes: z.array(
        z.object({
          ...{ name: z.string(), from: z.string(), to: z.string(), zone: z.string() },
          reason: z.string().nullable(),
          /** It holds now. */
          holds: z.boolean(),
        }),
      ),
      /** Names of those that all its services get. */
      variables: z.array(z.string()),
      backing: z.array(z.object({ name: z.string(), image: z.string() })),
      /** Deployments that wait, each with every gate that it meets. */
      waiting: z.array(z.object({ deployment, gates: z.array(gate) })),
    }),
    errors: ["not-found"],
  },
  removeEnvironment: {
    method: "DELETE",
    path: "/api/environments/:environment",
    summary: "End all services of an environment whose file is gone; its backing services keep their data.",
    auth: { roles: leading },
    params: z.object({ environment: environmentName }),
    response: z.object({ services: z.array(serviceName) }),
    errors: ["conflict", "not-found"],
  },
  removeService: {
    method: "DELETE",
    path: "/api/services/:service",
    summary: "End a service that no repository describes any more, in all environments.",
    auth: { roles: leading },
    params: z.object({ service: serviceName }),
    response: z.object({ environments: z.array(environmentName) }),
    errors: ["conflict", "not-found"],
  },
  showPlace: {
    method: "GET",
    path: "/api/services/:service/environments/:environment",
    summary: "What the instances of a service in an environment were given, without any value.",
    auth: { roles: anyRole },
    params: z.object({ service: serviceName, environment: environmentName }),
    response: z.object({
      /** Of the release that serves; null where none does. */
      release: z.int().nullable(),
      variables: z.array(variable),
      /** Names under which people reach it. */
      hosts: z.array(z.string()),
      instances: z.array(z.string()),
      limits: z.object({ cpu: z.number(), memory: z.int() }).nullable(),
      strategy: z.string().nullable(),
    }),
  },
  showRolloutTraffic: {
    method: "GET",
    path: "/api/deployments/:id/traffic",
    summary: "How the new instances of a rollout do beside those of the release before, in the last two minutes.",
    auth: { roles: anyRole },
    params: z.object({ id: uuid }),
    response: z.object({
      /** Null before the instances are known, and while the load balancer does not answer. */
      sides: z.object({ fresh: side, old: side, before: z.string() }).nullable(),
    }),
    errors: ["not-found"],
  },
});
