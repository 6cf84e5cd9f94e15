/** The rules that a deployment must pass before it may wait for its turn. */

export interface Gate {
  gate: "after" | "order" | "lock";
  open: boolean;
  reason: string;
}

export interface GateFacts {
  kind: "deploy" | "rollback";
  environment: string;
  release: number;
  /** The environment in which the release must have served. */
  after: string | undefined;
  servedAfter: boolean;
  /** Why the deployment would be superseded. */
  superseded: string | undefined;
  /** Release that is on its way there now. */
  running: number | undefined;
}

/** Every gate with its reason; only a closed `after` or `order` refuses, a closed `lock` makes wait. */
export function gatesOf(facts: GateFacts): Gate[] {
  return [afterGate(facts), orderGate(facts), lockGate(facts)];
}

function afterGate({ kind, after, servedAfter, release, environment }: GateFacts): Gate {
  if (after === undefined)
    return { gate: "after", open: true, reason: `${environment} comes after no other environment` };
  if (kind === "rollback")
    return { gate: "after", open: true, reason: "a rollback goes to where the release has served" };
  const reason = servedAfter
    ? `release ${release} has served in ${after}`
    : `release ${release} must have served in ${after} first`;
  return { gate: "after", open: servedAfter, reason };
}

function orderGate({ kind, superseded }: GateFacts): Gate {
  if (kind === "rollback") return { gate: "order", open: true, reason: "a rollback may go back in the source" };
  return {
    gate: "order",
    open: superseded === undefined,
    reason: superseded ?? "nothing newer is deployed or on its way",
  };
}

function lockGate({ running }: GateFacts): Gate {
  const reason =
    running === undefined ? "nothing else is on its way" : `release ${running} is on its way and goes first`;
  return { gate: "lock", open: running === undefined, reason };
}
