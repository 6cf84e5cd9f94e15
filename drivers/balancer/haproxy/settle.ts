/** Making the slots of the running process as wanted. */
import { setTimeout as sleep } from "node:timers/promises";
import { BalancerError, type Route } from "../contract.ts";
import { persist } from "./master.ts";
import { backendName } from "./names.ts";
import { planRoute } from "./slots.ts";
import type { Call, World } from "./world.ts";

const lookAgainMs = 10;
/** So long a slot that is to close waits for another to serve. It is longer than a check can take. */
const patienceMs = 3_000;

/** Until HAProxy itself says that all slots of these routes are as wanted. */
export async function settle(world: World, routes: readonly Route[], call: Call): Promise<void> {
  const only = routes.length === 1 ? routes[0] : undefined;
  const backend = only && backendName(only.id);
  const began = performance.now();
  const look = () => step(world, { routes, backend, patient: performance.now() - began < patienceMs }, call);
  while (!(await persist(look, call.signal))) await sleep(lookAgainMs, undefined, { signal: call.signal });
}

async function step(
  { master }: World,
  { routes, backend, patient }: { routes: readonly Route[]; backend: string | undefined; patient: boolean },
  { signal }: Call,
): Promise<boolean> {
  const { current } = await master.processes(signal);
  const seen = await master.servers(current, backend, signal);
  const plans = routes.flatMap((route) => {
    const servers = seen.get(backendName(route.id));
    if (servers?.length !== route.slots.length)
      throw new BalancerError(
        "balancer-unreachable",
        `the balancer does not know the route ${route.id} as it was applied`,
      );
    return planRoute(route, servers, patient);
  });
  const commands = plans.flatMap((plan) => plan.commands);
  await master.tell(current, commands, signal);
  return commands.length === 0 && plans.every(({ again }) => !again);
}
