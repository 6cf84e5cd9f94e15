/**
 * Who goes next to one service in one environment: one at a time, in the order of the source, nobody overtaken. A waiting
 * deployment of an older commit than one that serves, is on its way or waits is superseded; but one whose release passes its own
 * gates is not superseded by one that still waits for its sign-offs. A rollback, which a person asked for, never is superseded,
 * and goes first. A closed gate holds a deployment and all behind it, and drops none.
 */
import { type Gate, isOfRelease } from "./gates.ts";

export interface Contender {
  id: string;
  kind: "deploy" | "rollback";
  release: number;
  commit: string;
  /** The gates that are closed for it now, of release and place. */
  closed: readonly Gate[];
}

export interface Lane {
  serving: { release: number; commit: string } | undefined;
  running: Omit<Contender, "closed"> | undefined;
  /** In the order of asking. */
  waiting: readonly Contender[];
}

/** Whether the first commit is an ancestor of the second and another one. */
export type IsOlder = (commit: string, than: string) => boolean;

export interface Wait {
  kind: "deployment" | "order" | "gate";
  /** The deployment that goes first. */
  deployment?: string;
  message: string;
}

export interface Settlement {
  superseded: { id: string; reason: string }[];
  start: string | undefined;
  waits: { id: string; wait: Wait }[];
}

export function settle(lane: Lane, isOlder: IsOlder): Settlement {
  const judged = lane.waiting.map((each) => ({ each, reason: supersededBy(each, lane, isOlder) }));
  const superseded = judged.flatMap(({ each, reason }) => (reason ? [{ id: each.id, reason }] : []));
  const queue = inOrder(
    judged.filter(({ reason }) => !reason).map(({ each }) => each),
    isOlder,
  );
  const [head] = queue;
  const start = lane.running || (head && head.closed.length > 0) ? undefined : head;
  const waits = queue.flatMap((each, index) => {
    if (each === start) return [];
    const before = queue[index - 1] ?? lane.running;
    return [{ id: each.id, wait: waitOf(each, { before, next: lane.running ?? start }) }];
  });
  return { superseded, start: start?.id, waits };
}

/** Rollbacks, then deploys from the oldest commit to the newest; those that have no order in the source as they were asked for. */
function inOrder(waiting: readonly Contender[], isOlder: IsOlder): Contender[] {
  const ordered = waiting.filter(({ kind }) => kind === "rollback");
  let rest = waiting.filter(({ kind }) => kind === "deploy");
  while (rest.length > 0) {
    const next = rest.find((each) => !rest.some((other) => isOlder(other.commit, each.commit))) ?? rest[0];
    ordered.push(...(next ? [next] : []));
    rest = rest.filter((each) => each !== next);
  }
  return ordered;
}

function waitOf(
  each: Contender,
  { before, next }: { before: Omit<Contender, "closed"> | undefined; next: { id: string } | undefined },
): Wait {
  if (each.closed.length > 0) return { kind: "gate", message: each.closed.map(({ reason }) => reason).join("; ") };
  const kind = before && before.id === next?.id ? "deployment" : "order";
  return { kind, ...(before ? { deployment: before.id } : {}), message: `release ${before?.release} goes first` };
}

/** Why a deploy of this commit would come too late, or undefined. */
export function supersededBy(
  contender: Pick<Contender, "kind" | "commit" | "closed"> & { id?: string },
  { serving, running, waiting }: Lane,
  isOlder: IsOlder,
): string | undefined {
  if (contender.kind === "rollback") return undefined;
  const older = (than: { commit: string }) => isOlder(contender.commit, than.commit);
  if (serving && older(serving)) return `release ${serving.release}, of a newer commit, serves already`;
  if (running?.kind === "deploy" && older(running))
    return `release ${running.release}, of a newer commit, is on its way`;
  const asReady = (each: Contender) => !each.closed.some(isOfRelease) || contender.closed.some(isOfRelease);
  const newer = waiting.find(
    (each) => each.kind === "deploy" && each.id !== contender.id && older(each) && asReady(each),
  );
  return newer && `release ${newer.release}, of a newer commit, is about to be deployed`;
}

/** Whether a deployment would come too late, as a gate among the others. */
export function orderGate(kind: Contender["kind"], superseded: string | undefined): Gate {
  if (kind === "rollback") return { gate: "order", open: true, reason: "a rollback may go back in the source" };
  const reason = superseded ?? "nothing newer is deployed or on its way";
  return { gate: "order", open: superseded === undefined, reason };
}

/** `running`: the release that is on its way there now. */
export function turnGate(running: number | undefined): Gate {
  const reason =
    running === undefined ? "nothing else is on its way" : `release ${running} is on its way and goes first`;
  return { gate: "turn", open: running === undefined, reason };
}
