/** Making the slots of the running process as wanted. */
import { setTimeout as sleep } from "node:timers/promises";
import { BalancerError, type Route } from "../contract.ts";
import { persist } from "./master.ts";
import { backendName } from "./render.ts";
import { planSlot } from "./slots.ts";
import type { Call, World } from "./world.ts";

const lookAgainMs = 10;

/** Until HAProxy itself says that all slots of these routes are as wanted. */
export async function settle(world: World, routes: readonly Route[], call: Call): Promise<void> {
  const only = routes.length === 1 ? routes[0] : undefined;
  const backend = only && backendName(only.id);
  while (!(await persist(() => step(world, { routes, backend }, call), call.signal)))
    await sleep(lookAgainMs, undefined, { signal: call.signal });
}

async function step(
  { master }: World,
  { routes, backend }: { routes: readonly Route[]; backend: string | undefined },
  { signal }: Call,
): Promise<boolean> {
  const { current } = await master.processes(signal);
  const seen = await master.servers(current, backend, signal);
  const plans = routes.flatMap(({ id, slots }) => {
    const servers = seen.get(backendName(id));
    if (servers?.length !== slots.length)
      throw new BalancerError("balancer-unreachable", `the balancer does not know the route ${id} as it was applied`);
    return slots.map((slot, index) => planSlot(id, index, servers[index]!, slot));
  });
  const commands = plans.flatMap((plan) => plan.commands);
  await master.tell(current, commands, signal);
  return commands.length === 0 && plans.every(({ again }) => !again);
}
