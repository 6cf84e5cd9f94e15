import type { ProvenanceFacts } from "./statement.ts";

/** What may be demanded of a release. */
export type Demand = "signature" | "sbom" | "provenance";

export interface Check {
  what: Demand;
  ok: boolean;
  /** Id of the key that signed it. */
  key: string | null;
  /** In words: what holds, or what is missing or wrong. */
  reason: string;
}

export interface Verification {
  digest: string;
  checks: Check[];
  /** As signed; null where no signed provenance was found. */
  provenance: ProvenanceFacts | null;
  /** Packages of the signed bill of materials. */
  packages: number | null;
}

/** What was found of one kind: how many there are, and why each does not count. */
export interface Candidates {
  what: Demand;
  accepted: { key: string; reason: string } | undefined;
  rejected: readonly string[];
}

const names: Record<Demand, string> = {
  signature: "signature",
  sbom: "bill of materials",
  provenance: "provenance",
};

export function checkOf({ what, accepted, rejected }: Candidates): Check {
  if (accepted) return { what, ok: true, key: accepted.key, reason: accepted.reason };
  const [first, ...more] = [...new Set(rejected)];
  const others = more.length > 0 ? `, and ${more.length} more that do not count` : "";
  const reason = first === undefined ? `there is no signed ${names[what]}` : `${first}${others}`;
  return { what, ok: false, key: null, reason };
}
