/** What to tell HAProxy so that slots become as wanted. Pure. */
import type { Route, Slot } from "../contract.ts";
import { type ServerState, serves } from "./parse.ts";
import { backendName, nowhere, serverName } from "./names.ts";

export interface SlotPlan {
  /** Commands, in order; none when the slot is as wanted. */
  commands: string[];
  /** There is more to do, for which something must end first: after these commands look again. */
  again: boolean;
}

/**
 * For all slots of a route. Those that are to serve come first: while one of them has something to be told, or none of them serves yet,
 * no slot that serves now is closed. `patient`: the caller can wait for that.
 */
export function planRoute(
  { id, slots }: Pick<Route, "id" | "slots">,
  seen: readonly ServerState[],
  patient: boolean,
): SlotPlan[] {
  const plans = slots.map((slot, index) => planSlot(id, index, seen[index]!, slot));
  const heirs = [...slots.keys()].filter((index) => isToServe(slots[index]!));
  const opening = heirs.some((index) => plans[index]!.again || plans[index]!.commands.length > 0);
  const served = heirs.some((index) => serves(seen[index]!) && isAt(seen[index]!, slots[index]!));
  if (!patient || heirs.length === 0 || (served && !opening)) return plans;
  return plans.map((plan, index) =>
    serves(seen[index]!) && !isToServe(slots[index]!) ? { commands: [], again: true } : plan,
  );
}

function isToServe({ address, state, weight }: Slot): boolean {
  return address !== undefined && state === "ready" && weight > 0;
}

function isAt({ host, port }: ServerState, { address }: Slot): boolean {
  return address?.host === host && address.port === port;
}

/**
 * The commands for one slot. Leaving `maint` makes HAProxy take a server for healthy, so `health down` follows it: only a
 * check made after that brings it up. The same before a slot opens that was not checked since the process began; while a check is
 * under way HAProxy does not tell whether the one before it passed, so its end is awaited. A weight of 0 is how the
 * configuration writes `drain`, hence the weight changes only while the slot is closed or stays open.
 */
export function planSlot(route: string, index: number, seen: ServerState, wanted: Slot): SlotPlan {
  const set = (what: string) => `set server ${backendName(route)}/${serverName(index)} ${what}`;
  const { host, port } = wanted.address ?? nowhere;
  const moves = seen.host !== host || seen.port !== port;
  const off = !wanted.address || wanted.state === "maint";
  if ((moves || off) && !seen.maint) return { commands: [set("state maint")], again: true };
  if (seen.checking && (moves || (!off && opens(seen, wanted) && seen.up && !seen.passed)))
    return { commands: [], again: true };
  const move = moves ? [set(`addr ${host} port ${port}`)] : [];
  return { commands: [...move, ...(off ? [] : plan(seen, wanted, set))], again: false };
}

/** It gets no requests and is to get some. */
function opens(seen: ServerState, { state, weight }: Slot): boolean {
  return state === "ready" && (seen.drain || (seen.weight === 0 && weight > 0));
}

function plan(seen: ServerState, wanted: Slot, set: (what: string) => string): string[] {
  const { state, weight } = wanted;
  const proven = seen.up && seen.passed && !seen.maint;
  const commands: string[] = [];
  if (seen.maint || (state === "drain" && !seen.drain)) commands.push(set("state drain"));
  if (seen.maint || (opens(seen, wanted) && !proven)) commands.push(set("health down"));
  if (seen.weight !== weight) commands.push(set(`weight ${weight}`));
  if (state === "ready" && (seen.maint || seen.drain)) commands.push(set("state ready"));
  return commands;
}
