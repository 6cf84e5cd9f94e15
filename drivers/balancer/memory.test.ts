import type { Address } from "./contract.ts";
import { balancerConformance, type TestInstance } from "./conformance.ts";
import { createMemoryBalancer, type MemoryBalancer } from "./memory.ts";

balancerConformance("the balancer in memory", async () => {
  const instances = new Map<string, TestInstance & { open: number }>();
  const at = ({ host, port }: Address) => instances.get(`${host}:${port}`);
  const balancer: MemoryBalancer = createMemoryBalancer({
    healthy: (address) => at(address)?.healthy ?? false,
    sessions: (address) => at(address)?.open ?? 0,
  });
  let turn = 0;
  return {
    balancer,
    network: "network",
    async instance(name) {
      const address = { host: "10.0.0.1", port: instances.size + 1 };
      const made = {
        name,
        address,
        healthy: true,
        open: 0,
        async occupy() {
          made.open += 1;
          return async () => void (made.open -= 1);
        },
      };
      instances.set(`${address.host}:${address.port}`, made);
      return made;
    },
    async request(host) {
      const answer = balancer.request(host, turn++);
      return typeof answer === "number" ? answer : (at(answer)?.name ?? 503);
    },
    async take(host, times) {
      for (let count = 0; count < times; count++) {
        const answer = balancer.request(host, turn++);
        if (typeof answer === "number") continue;
        const route = host.replace(".localhost", "");
        balancer.time(route, 2 * (count % 2), [3]);
        balancer.note([{ route, from: "10.0.0.9", to: answer.host, at: 1, status: 200, milliseconds: 3 }]);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
});
