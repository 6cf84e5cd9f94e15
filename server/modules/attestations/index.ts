/** What is attested of releases: bill of materials, provenance and signature, made, shown, verified and demanded. */
import type { Handlers } from "#kernel/http.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Reaction } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import type { attestationEndpoints } from "#api/endpoints/attestations.ts";
import type { Releases } from "#releases";
import { attestTask, attestWaiting, type AttestDeps } from "./attest.ts";
import { createLacks, type Lacks } from "./gate.ts";
import { createJudgements } from "./judgements.ts";
import { createSigningKeys } from "./key.ts";
import { attestationReactions } from "./reactions.ts";
import { createLayerReader } from "./read-layer.ts";
import { attestationRoutes } from "./routes.ts";

export type { Demand } from "./core/verdict.ts";

export interface AttestationsDeps extends Omit<AttestDeps, "keys" | "readLayer" | "releases"> {
  vault: Vault;
  releases: Pick<Releases, "release" | "releaseById">;
}

export interface Attestations {
  /** Why what is demanded of a release is not proven, a sentence each; none when all is. @param db where the answer counts. */
  lacks: Lacks;
  handlers: Handlers<typeof attestationEndpoints>;
  reactions: Reaction[];
  tasks: Record<string, Task>;
  /** Makes the key that signs, if there is none. */
  start(): Promise<void>;
}

export function createAttestations(given: AttestationsDeps): Attestations {
  const keys = createSigningKeys(given);
  const judgements = createJudgements({ ...given, keys });
  const deps = { ...given, keys, judgements, readLayer: createLayerReader() };
  return {
    lacks: createLacks(judgements),
    handlers: attestationRoutes(deps),
    reactions: attestationReactions(deps),
    tasks: { [attestTask]: (_, stopping) => attestWaiting(deps, stopping) },
    start: async () => void (await keys.current()),
  };
}
