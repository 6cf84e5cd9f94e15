/** Machines of a cluster that take traffic from outside, besides the one of the control plane; and what the process on each says. */
import { z } from "zod";
import { administering, anyRole, endpoints } from "../endpoint.ts";
import { ingressName } from "../names.ts";

const instance = z.string().min(1).max(100).describe("Fresh at every start of the process.");

/** A call of `drivers/balancer/contract.ts` that the balancer there is to answer. */
const balancerCall = z.object({
  id: z.uuid(),
  method: z.enum(["apply", "setSlots", "health", "sessions", "serving", "stats", "timings", "recent", "remove"]),
  /** Those of the method without its options; one that is left out is null. */
  args: z.array(z.json()),
  deadlineMs: z.int().positive(),
});

const balancerAnswer = z.strictObject({
  id: z.uuid(),
  value: z.json().optional(),
  failure: z
    .strictObject({
      code: z.enum([
        ...["invalid", "not-found", "port-taken", "image-missing", "docker-unreachable", "balancer-unreachable"],
        ...["disk-full", "deadline", "aborted"],
      ] as const),
      message: z.string().max(10_000),
    })
    .optional(),
});

export type BalancerCall = z.output<typeof balancerCall>;
export type BalancerAnswer = z.output<typeof balancerAnswer>;

export const ingressEndpoints = endpoints({
  listIngresses: {
    method: "GET",
    path: "/api/ingresses",
    summary: "The machines of a cluster that take traffic besides the one of the control plane, and how they are.",
    auth: { roles: anyRole },
    response: z.object({
      ingresses: z.array(
        z.object({
          name: ingressName,
          /** `joining`: it is being brought to what the others have; `away`: it is not there. */
          state: z.enum(["serving", "joining", "away"]),
          /** What is wrong with it, in words. */
          fault: z.string().nullable(),
        }),
      ),
    }),
  },
  createIngress: {
    method: "POST",
    path: "/api/ingresses",
    summary: "Let one more machine take traffic. Its token is shown this one time.",
    auth: { roles: administering },
    body: z.strictObject({ name: ingressName }),
    response: z.object({ name: ingressName, secret: z.string() }),
    errors: ["conflict"],
  },
  removeIngress: {
    method: "DELETE",
    path: "/api/ingresses/:name",
    summary: "Take a machine out: its load balancer ends, its token too.",
    auth: { roles: administering },
    params: z.object({ name: ingressName }),
    response: z.object({ name: ingressName }),
    errors: ["not-found"],
  },
  takeIngressCalls: {
    method: "POST",
    path: "/api/ingress/calls",
    summary: "Wait up to `waitMs` for calls to the load balancer of this machine.",
    auth: { ingress: true },
    body: z.strictObject({ instance, waitMs: z.int().min(0).max(10_000).default(2_000) }),
    response: z.object({ calls: z.array(balancerCall) }),
    errors: ["not-found", "ingress.replaced"],
  },
  answerIngressCalls: {
    method: "POST",
    path: "/api/ingress/answers",
    summary: "What came of calls.",
    auth: { ingress: true },
    // The last requests of a balancer are more than most bodies.
    bodyLimit: 8 * 1024 * 1024,
    body: z.strictObject({ instance, answers: z.array(balancerAnswer).max(1_000) }),
    response: z.object({}),
    errors: ["not-found", "ingress.replaced"],
  },
});
