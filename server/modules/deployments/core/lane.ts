/**
 * Who goes next to one service in one environment: one at a time, in the order of the source, nobody overtaken. A waiting
 * deployment of an older commit than one that serves, is on its way or waits is superseded; a rollback, which a person asked
 * for, never is, and goes first.
 */

export interface Contender {
  id: string;
  kind: "deploy" | "rollback";
  release: number;
  commit: string;
}

export interface Lane {
  serving: { release: number; commit: string } | undefined;
  running: Contender | undefined;
  /** Oldest first. */
  waiting: readonly Contender[];
}

/** Whether the first commit is an ancestor of the second and another one. */
export type IsOlder = (commit: string, than: string) => boolean;

export interface Wait {
  kind: "deployment" | "order";
  /** The deployment that goes first. */
  deployment: string;
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
  const left = judged.filter(({ reason }) => !reason).map(({ each }) => each);
  const queue = left.toSorted((a, b) => Number(b.kind === "rollback") - Number(a.kind === "rollback"));
  const start = lane.running ? undefined : queue[0];
  const first = lane.running ?? start;
  const waits = queue.flatMap((each, index) => {
    if (!first || each === start) return [];
    const before = queue[index - 1];
    return [{ id: each.id, wait: before && before !== start ? behind(before, "order") : behind(first, "deployment") }];
  });
  return { superseded, start: start?.id, waits };
}

/** Why a deploy of this commit would come too late, or undefined. */
export function supersededBy(
  contender: Pick<Contender, "kind" | "commit"> & { id?: string },
  { serving, running, waiting }: Lane,
  isOlder: IsOlder,
): string | undefined {
  if (contender.kind === "rollback") return undefined;
  const older = (than: { commit: string }) => isOlder(contender.commit, than.commit);
  if (serving && older(serving)) return `release ${serving.release}, of a newer commit, serves already`;
  if (running?.kind === "deploy" && older(running))
    return `release ${running.release}, of a newer commit, is on its way`;
  const newer = waiting.find((each) => each.kind === "deploy" && each.id !== contender.id && older(each));
  return newer && `release ${newer.release}, of a newer commit, is about to be deployed`;
}

function behind({ id, release }: Contender, kind: Wait["kind"]): Wait {
  return { kind, deployment: id, message: `release ${release} goes first` };
}
