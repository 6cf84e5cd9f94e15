/** How the instances of a release that serves do, by the engine and the balancer. Pure. */
import type { Instance } from "#drivers/runtime/contract.ts";
import type { SlotHealth } from "#drivers/balancer/contract.ts";

export interface Health {
  /** `healthy` is null where nobody could look. */
  instances: { healthy: number | null; wanted: number };
  /** Null while it is not known of an instance, and none is known to be ill: a check that is late is no check that failed. */
  healthy: boolean | null;
}

interface Seen {
  instances: readonly Pick<Instance, "name" | "state">[];
  health: Readonly<Record<string, SlotHealth>>;
}

/** `names`: instances that should serve; `seen` is absent where engine or balancer did not answer. */
export function healthOf(names: readonly string[], seen: Seen | undefined): Health {
  const wanted = names.length;
  if (wanted === 0) return { instances: { healthy: 0, wanted }, healthy: false };
  if (!seen) return { instances: { healthy: null, wanted }, healthy: null };
  const each = names.map((name) => {
    const runs = seen.instances.some((instance) => instance.name === name && instance.state === "running");
    return runs ? (seen.health[name]?.health ?? "unknown") : "down";
  });
  const healthy = each.filter((health) => health === "up").length;
  if (each.includes("down")) return { instances: { healthy, wanted }, healthy: false };
  return { instances: { healthy, wanted }, healthy: healthy === wanted ? true : null };
}
