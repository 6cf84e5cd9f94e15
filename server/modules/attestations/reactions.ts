import type { Clock } from "#kernel/clock.ts";
import type { Jobs } from "#kernel/jobs.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Releases } from "#releases";
import { want } from "./attest.ts";
import type { SigningKeys } from "./key.ts";

interface Deps {
  jobs: Jobs;
  clock: Clock;
  releases: Pick<Releases, "releaseById">;
  keys: SigningKeys;
}

export function attestationReactions({ keys, ...deps }: Deps): Reaction[] {
  return [
    reaction("attestations.attest", "releases.release-created", async (tx, { payload }) => {
      const release = await deps.releases.releaseById(payload.release);
      if (release) await want({ ...deps, tx }, release);
    }),
    reaction("attestations.reseal", "fleet.key-rotated", (tx) => keys.reseal(tx)),
  ];
}
