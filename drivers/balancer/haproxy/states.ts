/** What a process learns of its servers when it begins. Pure. */
import type { Address, BalancerConfig, Slot } from "../contract.ts";
import { backendName, serverName } from "./names.ts";
import type { ServerState } from "./parse.ts";

/** In the folder of the configuration. */
export const statesFile = "servers.state";

/** Servers as a process has them, by backend. */
export type Known = ReadonlyMap<string, readonly ServerState[]>;

/**
 * The content of HAProxy's `server-state-file`, version 1: every server is as the configuration has it, and in full health; where
 * `known` tells of the process that hands over, only if it was healthy there, else a check must pass first.
 *
 * Without it a process takes all servers for healthy, but a single check that fails takes one out, where it takes three in a row
 * later: after a reload nobody served for 0.2 s where one check had no answer in time.
 */
export function renderStates({ routes }: BalancerConfig, known?: Known): string {
  const lines = routes.flatMap(({ id, slots }) =>
    slots.flatMap((slot, index) =>
      slot.address && slot.state !== "maint"
        ? [lineOf(id, index, { ...slot, runs: !known || isHealthy(known, id, slot.address) })]
        : [],
    ),
  );
  return ["1", ...lines, ""].join("\n");
}

/** Whatever slot it was in. */
function isHealthy(known: Known, route: string, { host, port }: Address): boolean {
  const servers = known.get(backendName(route)) ?? [];
  return servers.some((server) => server.up && !server.maint && server.host === host && server.port === port);
}

const [stopped, running, enabled, neverChecked] = [0, 2, 0, 1];

function lineOf(route: string, index: number, { address, state, weight, runs }: Slot & { runs: boolean }): string {
  const configured = state === "drain" ? 0 : weight;
  // Result, health (one that runs has all of it, one that does not has none), check and agent: HAProxy sets them itself.
  const check = [neverChecked, 0, 0, 0, 0];
  const [ids, tls, checkedElsewhere] = [[0, 0], 0, [0, "-", "-", 0]];
  return [
    ...[0, backendName(route), index + 1, serverName(index)],
    ...[address?.host, runs ? running : stopped, enabled, configured, configured, 0, ...check, ...ids],
    ...["-", address?.port, "-", tls, ...checkedElsewhere],
  ].join(" ");
}
