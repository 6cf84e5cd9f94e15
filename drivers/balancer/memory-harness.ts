/** The conformance suite on balancers in memory. */
import type { Address, Balancer } from "./contract.ts";
import type { BalancerHarness, TestInstance } from "./conformance.ts";
import { createMemoryBalancer, type MemoryBalancer } from "./memory.ts";

/** `join`: what the suite speaks to, made of so many balancers that people reach in turn. */
export function memoryHarness(balancers: number, join: (all: readonly MemoryBalancer[]) => Balancer): BalancerHarness {
  const instances = new Map<string, TestInstance & { open: number }>();
  const at = ({ host, port }: Address) => instances.get(`${host}:${port}`);
  const all = Array.from({ length: balancers }, (_, index) =>
    createMemoryBalancer({
      healthy: (address) => at(address)?.healthy ?? false,
      // A session is at one of them only.
      sessions: (address) => (index === 0 ? (at(address)?.open ?? 0) : 0),
    }),
  );
  let turn = 0;
  const next = () => all[turn % balancers] ?? createMemoryBalancer();
  return {
    balancer: join(all),
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
      const balancer = next();
      const answer = balancer.request(host, Math.floor(turn++ / balancers));
      return typeof answer === "number" ? answer : (at(answer)?.name ?? 503);
    },
    async take(host, times) {
      for (let count = 0; count < times; count++) {
        const balancer = next();
        const answer = balancer.request(host, Math.floor(turn++ / balancers));
        if (typeof answer === "number") continue;
        const route = host.replace(".localhost", "");
        balancer.time(route, 2 * (count % 2), [3]);
        balancer.note([{ route, from: "10.0.0.9", to: answer.host, at: 1, status: 200, milliseconds: 3 }]);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
