/** What of the images may go, and why the rest stays. Rooted in deployments: age and disk say when, never what. Pure. */

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

export function registryFate({ service, release, digest, newer }: RegistryImage, needs: Needs, keep: number): Fate {
  const need = needs.get(digest);
  const stays = need ?? (newer < keep ? `one of the newest ${keep} releases` : undefined);
  return {
    ...{ place: "registry", service, name: `release ${release}`, bytes: null },
    goes: stays === undefined,
    why: stays ?? `${newer} releases are newer, and it is deployed nowhere`,
  };
}
