/**
 * The rules that a deployment must pass, each with a sentence that says who or what it waits for. Those of the release itself
 * (`after`, `sign-off`) and those of the place (`freeze`, `lock`, `services`) are told here; whose turn it is (`order`, `turn`)
 * comes from `lane.ts`, by which the rules become one verdict.
 */
import type { Freeze, SignOff } from "#pipeline/environment-rules.ts";
import { freezesAt } from "./freeze.ts";

export type GateName =
  | "after"
  | "sign-off"
  | "attestations"
  | "contracts"
  | "freeze"
  | "lock"
  | "services"
  | "previews"
  | "disk"
  | "order"
  | "turn";

export interface Gate {
  gate: GateName;
  open: boolean;
  reason: string;
  /** Of contracts: `none` where there are none, `unknown` while a result is missing. */
  answer?: ContractsSay["answer"];
}

/** What is known of the contracts between the release and all that serves there. */
export interface ContractsSay {
  answer: "yes" | "no" | "unknown" | "none";
  reasons: readonly string[];
  /** Whether the environment waits for a yes. */
  required: boolean;
}

export interface Held {
  owner: string;
  reason: string;
  /** ISO time, or in words. */
  until: string;
  /** What is locked, such as `production` or `orders in production`. */
  what: string;
}

export interface GateFacts {
  kind: "deploy" | "rollback";
  environment: string;
  release: number;
  /** The environment in which the release must have served. */
  after: string | undefined;
  servedAfter: boolean;
  signOffs: readonly SignOff[];
  /** Sign-offs of this release that still count. */
  given: readonly { signOff: string; user: string }[];
  freezes: readonly Freeze[];
  /** Names of freezes that somebody overrode for this deployment. */
  overridden: readonly string[];
  locks: readonly Held[];
  /** Deployments of services that go first here, each as a half sentence. */
  first: readonly string[];
  /** What must be proven of the release's image, and what of that is not, in sentences; absent: nothing must. */
  attested?: { demands: readonly string[]; lacks: readonly string[] } | undefined;
  /** Absent where nothing is promoted to. */
  contracts?: ContractsSay | undefined;
  /** Of the environment of a pull request: why it cannot stand yet. */
  previews?: { wait: string | undefined } | undefined;
  /** Why there is no room for something new; absent: there is. */
  full?: string | undefined;
  now: Date;
}

/** Every rule of release and place, open ones too. */
export function gatesOf(facts: GateFacts): Gate[] {
  const ofPlace = [
    ...freezeGates(facts),
    lockGate(facts),
    ...previewsGate(facts),
    ...diskGate(facts),
    ...servicesGate(facts),
  ];
  return [afterGate(facts), ...signOffGates(facts), ...attestationsGate(facts), ...contractsGate(facts), ...ofPlace];
}

/** Another release may pass these. */
export function isOfRelease({ gate }: Gate): boolean {
  return gate === "after" || gate === "sign-off" || gate === "attestations" || gate === "contracts";
}

function afterGate({ kind, after, servedAfter, release, environment }: GateFacts): Gate {
  if (after === undefined)
    return { gate: "after", open: true, reason: `${environment} comes after no other environment` };
  if (kind === "rollback") return { gate: "after", open: true, reason: rollback };
  const reason = servedAfter
    ? `release ${release} has served in ${after}`
    : `release ${release} must have served in ${after} first`;
  return { gate: "after", open: servedAfter, reason };
}

const rollback = "a rollback goes to where the release has served";

function signOffGates({ kind, signOffs, given, release }: GateFacts): Gate[] {
  return signOffs.map((rule) => {
    if (kind === "rollback") return { gate: "sign-off", open: true, reason: rollback };
    const by = [...new Set(given.filter(({ signOff }) => signOff === rule.name).map(({ user }) => user))].toSorted();
    if (by.length >= rule.count)
      return {
        gate: "sign-off",
        open: true,
        reason: `${rule.name} of release ${release} is given by ${by.join(", ")}`,
      };
    const who = [...rule.roles.map((role) => `the role ${role}`), ...rule.users].join(" or ");
    const reason = `${rule.name} of release ${release} waits for ${who} (${by.length} of ${rule.count})`;
    return { gate: "sign-off", open: false, reason };
  });
}

/** Nothing is taken for proven that is not: no answer is a no. */
function attestationsGate({ kind, attested, release }: GateFacts): Gate[] {
  if (!attested) return [];
  const { demands, lacks } = attested;
  const told = { gate: "attestations" as const, open: true };
  if (kind === "rollback") return [{ ...told, reason: rollback }];
  if (lacks.length === 0) return [{ ...told, reason: `${demands.join(", ")} of release ${release} hold` }];
  return [{ ...told, open: false, reason: `release ${release} is not proven: ${lacks.join("; ")}` }];
}

/** A rollback goes out all the same: whoever asks for it has worse at hand. */
function contractsGate({ kind, contracts, release, environment }: GateFacts): Gate[] {
  if (!contracts) return [];
  const { answer, reasons, required } = contracts;
  const open = answer === "yes" || answer === "none" || !required || kind === "rollback";
  const words = {
    yes: `the contracts of release ${release} are kept with all that serves in ${environment}`,
    none: "no contracts declared: nobody has published a pact with it",
    no: `the contracts say no: ${reasons.join("; ")}`,
    unknown: `the contracts are not verified yet: ${reasons.join("; ")}`,
  };
  const despite = open && reasons.length > 0 ? (kind === "rollback" ? rollback : "only told here") : undefined;
  return [{ gate: "contracts", open, reason: words[answer] + (despite ? ` (${despite})` : ""), answer }];
}

function freezeGates({ kind, freezes, overridden, now }: GateFacts): Gate[] {
  if (freezes.length === 0) return [];
  const holding = freezesAt(freezes, now);
  if (kind === "rollback" || holding.length === 0) {
    const reason = kind === "rollback" ? "a rollback goes out in a freeze too" : "no freeze holds now";
    return [{ gate: "freeze", open: true, reason }];
  }
  return holding.map(({ name, from, to, zone, reason: why }) => {
    const open = overridden.includes(name);
    const window = `the freeze ${name} holds from ${from} to ${to} (${zone})${why ? `: ${why}` : ""}`;
    return { gate: "freeze", open, reason: open ? `${window}; overridden` : window };
  });
}

/** A lock holds rollbacks too: whoever took it may be looking at what runs. */
function lockGate({ locks }: GateFacts): Gate {
  if (locks.length === 0) return { gate: "lock", open: true, reason: "nobody has locked it" };
  const told = locks.map(({ what, owner, until, reason }) => `${owner} has locked ${what} until ${until}: ${reason}`);
  return { gate: "lock", open: false, reason: told.join("; ") };
}

function previewsGate({ previews }: GateFacts): Gate[] {
  if (!previews) return [];
  const { wait } = previews;
  return [{ gate: "previews", open: wait === undefined, reason: wait ?? "one more preview may stand" }];
}

function diskGate({ kind, full }: GateFacts): Gate[] {
  if (full === undefined) return [];
  const open = kind === "rollback";
  return [{ gate: "disk", open, reason: open ? "going back needs no room" : full }];
}

function servicesGate({ kind, first }: GateFacts): Gate[] {
  if (first.length === 0 || kind === "rollback") return [];
  return [{ gate: "services", open: false, reason: first.join("; ") }];
}
