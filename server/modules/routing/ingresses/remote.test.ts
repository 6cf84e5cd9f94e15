import { expect, test } from "vitest";
import { answerCall } from "#agent/answer-call.ts";
import { ingressEndpoints } from "#api/endpoints/ingresses.ts";
import { type Balancer, BalancerError } from "#drivers/balancer/contract.ts";
import { balancerConformance } from "#drivers/balancer/conformance.ts";
import { createMemoryBalancer } from "#drivers/balancer/memory.ts";
import { memoryHarness } from "#drivers/balancer/memory-harness.ts";
import { createManyBalancer } from "./many.ts";
import { createRemoteBalancer, valueOf } from "./remote.ts";

const { takeIngressCalls, answerIngressCalls } = ingressEndpoints;

/** Every word goes through the rows of the endpoints, as over HTTP. */
function remote(balancer: Balancer): Balancer {
  return createRemoteBalancer(async (method, args, { deadlineMs = 10_000, signal } = {}) => {
    if (signal?.aborted) throw new BalancerError("aborted", "the caller asks no more");
    const sent = JSON.stringify({ calls: [{ id: crypto.randomUUID(), method, args, deadlineMs }] });
    const [call] = takeIngressCalls.response.parse(JSON.parse(sent)).calls;
    const back = JSON.stringify({ instance: "one", answers: [await answerCall(balancer, call!)] });
    const [answer] = answerIngressCalls.body.parse(JSON.parse(back)).answers;
    return valueOf(answer!);
  });
}

balancerConformance("a balancer on another machine", async () => memoryHarness(1, ([one]) => remote(one!)));

balancerConformance("the balancers of two machines as one", async () =>
  memoryHarness(2, ([own, other]) => {
    const those = [{ id: "edge-2", balancer: remote(other!) }];
    const apply: Balancer["apply"] = async (config) => other!.apply(config);
    const many = createManyBalancer(own!, { serving: async () => those, apply });
    const spanning: Balancer["apply"] = ({ routes }, options) =>
      many.apply({ routes: routes.map((route) => ({ ...route, spansMachines: true })) }, options);
    return { ...many, apply: spanning };
  }),
);

test("routes of networks that end at this machine, and addresses within a network, are of no concern to other machines", async () => {
  const [own, other] = [createMemoryBalancer(), createMemoryBalancer()];
  let applied: unknown;
  const many = createManyBalancer(own, {
    serving: async () => [{ id: "edge-2", balancer: other }],
    apply: async (config) => {
      applied = config;
      await other.apply(config);
    },
  });
  const route = (id: string, more: object) => ({ id, hosts: [`${id}.localhost`], network: "n", slots: [], ...more });
  const slots = [{ state: "ready" as const, weight: 100, address: { host: "10.0.0.1", port: 80 } }];
  const shared = route("shared", { slots, spansMachines: true });
  await many.apply({ routes: [{ ...shared, internalPort: 10_001 }, route("here", { slots })] });
  expect(applied).toEqual({ routes: [shared] });
  expect(await many.serving("here")).toEqual(["10.0.0.1:80"]);
  other.down = true;
  expect(await many.health([{ route: "here", position: 0 }])).toMatchObject([{ health: "up" }]);
  expect(await many.health([{ route: "shared", position: 0 }])).toEqual([{ health: "unknown" }]);
  await expect(many.sessions("shared", 0)).rejects.toThrow(BalancerError);
});

test("what was counted stays counted when a machine goes and when its balancer begins anew", async () => {
  const own = createMemoryBalancer();
  let others = [{ id: "edge-2 a", balancer: createMemoryBalancer() }];
  const apply: Balancer["apply"] = async (config) => {
    for (const { balancer } of others) await balancer.apply(config);
  };
  const many = createManyBalancer(own, { serving: async () => others, apply });
  const slots = [{ state: "ready" as const, weight: 100, address: { host: "10.0.0.1", port: 80 } }];
  const config = { routes: [{ id: "r", hosts: [], network: "n", spansMachines: true, slots }] };
  await many.apply(config);
  own.count("r", 0, { requests: 2 });
  others[0]!.balancer.count("r", 0, { requests: 5, serverErrors: 1 });
  expect(await many.stats("r")).toMatchObject({ slots: [{ requests: 7, serverErrors: 1 }] });
  others = [{ id: "edge-2 b", balancer: createMemoryBalancer() }];
  await many.apply(config);
  expect(await many.stats("r")).toMatchObject({ slots: [{ requests: 7, serverErrors: 1 }] });
  others[0]!.balancer.count("r", 0, { requests: 1 });
  expect(await many.stats("r")).toMatchObject({ slots: [{ requests: 8 }] });
  others = [];
  expect(await many.stats("r")).toMatchObject({ slots: [{ requests: 8, serverErrors: 1 }] });
});
