/** What of the images may go, and why the rest stays. Rooted in deployments: the rules for releases only keep more. Pure. */

import { type KeepRule, ruleInWords } from "#api/keep-releases.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Why an image is needed: the first reason that was given. */
export type Needs = ReadonlyMap<string, string>;

export interface HostImage {
  image: string;
  service: string;
  digest: string;
  /** Absent when it is not there, or not held. */
  bytes?: number | undefined;
}

export interface RegistryImage {
  service: string;
  release: number;
  digest: string;
  /** How many releases of the service are newer. */
  newer: number;
  createdAt: Date;
}

/** What is said to stay in the registry, and when that is asked. */
export interface Keeping {
  rules: readonly KeepRule[];
  now: Date;
}

export interface Fate {
  place: "host" | "registry";
  service: string;
  /** On the host its name, in the registry the release. */
  name: string;
  bytes: number | null;
  goes: boolean;
  why: string;
}

export function hostFate({ image, service, digest, bytes }: HostImage, needs: Needs): Fate {
  const need = needs.get(digest);
  return {
    ...{ place: "host", service, name: image, bytes: bytes ?? null },
    goes: need === undefined,
    why: need ?? "no deployment needs it, nor a release that may be gone back to",
  };
}

export function registryFate(image: RegistryImage, needs: Needs, { rules, now }: Keeping): Fate {
  const { service, release, digest, newer, createdAt } = image;
  const days = (now.getTime() - createdAt.getTime()) / dayMs;
  const rule = rules.find((each) => keeps(each, { newer, days }));
  const stays = needs.get(digest) ?? (rule && `is kept by the rule: ${ruleInWords(rule)}`);
  return {
    ...{ place: "registry", service, name: `release ${release}`, bytes: null },
    goes: stays === undefined,
    why:
      stays ?? `no rule keeps it: ${newer} releases are newer, it is ${Math.floor(days)} days old and deployed nowhere`,
  };
}

function keeps(rule: KeepRule, { newer, days }: { newer: number; days: number }): boolean {
  if (rule.kind === "every") return true;
  return rule.kind === "newest" ? newer < rule.count : days < rule.count;
}
