/** A balancer on another machine, spoken to by messages: each call of the contract is one, and so is its answer. */
import type { BalancerAnswer, BalancerCall } from "#api/endpoints/ingresses.ts";
import {
  type Balancer,
  BalancerError,
  type CallOptions,
  type Recent,
  type RouteStats,
  type RouteTimings,
  type SlotHealth,
} from "#drivers/balancer/contract.ts";

export type BalancerMethod = BalancerCall["method"] & keyof Balancer;

/** Brings a call to the other side and answers its value; throws `BalancerError`. */
export type Ask = (method: BalancerMethod, args: readonly unknown[], options?: CallOptions) => Promise<unknown>;

/** What asks stands for the balancer of which it asks. */
export function createRemoteBalancer(ask: Ask): Balancer {
  return {
    apply: async (config, options) => void (await ask("apply", [config], options)),
    setSlots: async (changes, options) => void (await ask("setSlots", [changes], options)),
    health: (slots, options) => ask("health", [slots], options) as Promise<SlotHealth[]>,
    sessions: (route, slot, options) => ask("sessions", [route, slot], options) as Promise<number>,
    serving: (route, options) => ask("serving", [route], options) as Promise<string[]>,
    stats: (route, options) => ask("stats", [route], options) as Promise<RouteStats>,
    timings: (route, cursor, options) => ask("timings", [route, cursor ?? null], options) as Promise<RouteTimings>,
    recent: (options) => ask("recent", [], options) as Promise<Recent>,
    remove: async (options) => void (await ask("remove", [], options)),
  };
}

/** The value in an answer, or what failed. */
export function valueOf({ value, failure }: BalancerAnswer): unknown {
  if (failure) throw new BalancerError(failure.code, failure.message);
  return value;
}
