/** Services that are deployed together: the order in which nothing that serves beside each other ever breaks a contract. */
import type { Permission } from "./permission.ts";

export interface Candidate {
  pacticipant: string;
  version: string;
}

/** By pacticipant, the versions that serve. */
export type Serving = ReadonlyMap<string, readonly string[]>;

/** May it begin to serve beside these? Its own old version is one of them. */
export type May = (next: Candidate, serving: Serving) => Permission;

export interface Order {
  /** All of them; or, where there is no order, as many as can go before the others are stuck. */
  order: Candidate[];
  /** Those that cannot go after these, with the reasons then; empty where there is an order. */
  stuck: { candidate: Candidate; permission: Permission }[];
}

/** Beyond so many the ways are too many to be tried. */
export const mostTogether = 10;

export const mayGo = ({ answer }: Permission): boolean => answer === "yes" || answer === "none";

/** An order in which each may begin to serve beside what serves then, if there is any. @param candidates `mostTogether` at most. */
export function orderTogether(candidates: readonly Candidate[], serving: Serving, may: May): Order {
  const hopeless = new Set<string>();
  let farthest: Candidate[] = [];

  function goOn(gone: Candidate[]): Candidate[] | undefined {
    if (gone.length > farthest.length) farthest = gone;
    const left = candidates.filter((each) => !gone.includes(each));
    if (left.length === 0) return gone;
    // What can go on from here depends on who has gone, whatever their order.
    const key = left.map((each) => candidates.indexOf(each)).join();
    if (hopeless.has(key)) return undefined;
    const now = after(serving, gone);
    for (const next of left) {
      const found = mayGo(may(next, now)) ? goOn([...gone, next]) : undefined;
      if (found) return found;
    }
    hopeless.add(key);
    return undefined;
  }

  const order = goOn([]);
  if (order) return { order, stuck: [] };
  const now = after(serving, farthest);
  const left = candidates.filter((each) => !farthest.includes(each));
  const judged = left.map((candidate) => ({ candidate, permission: may(candidate, now) }));
  return { order: farthest, stuck: judged.filter(({ permission }) => !mayGo(permission)) };
}

/** What serves once these have taken the places of the versions before them. */
function after(serving: Serving, gone: readonly Candidate[]): Serving {
  return new Map([...serving, ...gone.map(({ pacticipant, version }) => [pacticipant, [version]] as const)]);
}
