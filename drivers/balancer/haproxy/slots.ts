/** What to tell HAProxy so that a slot becomes as wanted. Pure. */
import type { Slot } from "../contract.ts";
import type { ServerState } from "./parse.ts";
import { backendName, nowhere, serverName } from "./render.ts";

export interface SlotPlan {
  /** Commands, in order; none when the slot is as wanted. */
  commands: string[];
  /** A check of the present address is under way and its result would count for the new one: after these commands look again. */
  again: boolean;
}

/**
 * The commands for one slot. Leaving `maint` makes HAProxy take a server for healthy, so `health down` follows it: only a
 * check made after that brings it up. The same before a slot opens that was not checked since the process began. A weight
 * of 0 is how the configuration writes `drain`, hence the weight changes only while the slot is closed or stays open.
 */
export function planSlot(route: string, index: number, seen: ServerState, wanted: Slot): SlotPlan {
  const set = (what: string) => `set server ${backendName(route)}/${serverName(index)} ${what}`;
  const { host, port } = wanted.address ?? nowhere;
  const moves = seen.host !== host || seen.port !== port;
  const off = !wanted.address || wanted.state === "maint";
  if ((moves || off) && !seen.maint) return { commands: [set("state maint")], again: true };
  if (moves && seen.checking) return { commands: [], again: true };
  const move = moves ? [set(`addr ${host} port ${port}`)] : [];
  return { commands: [...move, ...(off ? [] : plan(seen, wanted, set))], again: false };
}

function plan(seen: ServerState, { state, weight }: Slot, set: (what: string) => string): string[] {
  const opens = state === "ready" && (seen.drain || (seen.weight === 0 && weight > 0));
  const proven = seen.up && seen.passed && !seen.maint;
  const commands: string[] = [];
  if (seen.maint || (state === "drain" && !seen.drain)) commands.push(set("state drain"));
  if (seen.maint || (opens && !proven)) commands.push(set("health down"));
  if (seen.weight !== weight) commands.push(set(`weight ${weight}`));
  if (state === "ready" && (seen.maint || seen.drain)) commands.push(set("state ready"));
  return commands;
}
