import type { attestationEndpoints } from "#api/endpoints/attestations.ts";
import { refuse, type Refusal, isRefusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { Release, Releases } from "#releases";
import { type AttestDeps, want } from "./attest.ts";
import { changesSince, layersOfImage, withText } from "./image-page.ts";
import type { Judgements } from "./judgements.ts";
import type { PublicKey } from "./key.ts";
import { attestationStore } from "./store.ts";
import { verify } from "./verification.ts";

interface Deps extends Pick<AttestDeps, "db" | "contents" | "emit" | "keys" | "jobs" | "clock"> {
  releases: Pick<Releases, "release">;
  judgements: Judgements;
}

export function attestationRoutes(deps: Deps): Handlers<typeof attestationEndpoints> {
  const { db, contents, keys, judgements } = deps;
  return {
    async showAttestationKey() {
      const current = await keys.current();
      const older = (await keys.trusted(db)).filter(({ id }) => id !== current.id);
      return { ...viewOf(current), algorithm: "ecdsa-p256-sha256" as const, older: older.map(viewOf) };
    },

    rotateAttestationKey: (_, context) =>
      db.transaction().execute(async (tx) => {
        const { key, before } = await keys.rotate(tx);
        const change = { key: key.id, before: before?.id ?? null };
        await deps.emit(tx, "attestation-key", "attestations.key-rotated", { ...change, actor: userOf(context).name });
        return { ...viewOf(key), before: change.before };
      }),

    async attestRelease({ params }) {
      const release = await keptRelease(deps, params);
      if (isRefusal(release)) return release;
      await db.transaction().execute((tx) => want({ ...deps, tx }, release));
      return { attestation: await stateOf(db, release) };
    },

    async verifyRelease({ params }) {
      const release = await keptRelease(deps, params);
      if (isRefusal(release)) return release;
      const { listed: _, isWhole: __, ...verification } = await verify(deps, db, release);
      return { ...verification, image: release.image, attestation: await stateOf(db, release) };
    },

    async showReleaseImage({ params, query }) {
      const release = await keptRelease(deps, params);
      if (isRefusal(release)) return release;
      const shown = await layersOfImage(contents, release);
      if (!shown) return gone(release);
      const { service, previous } = release;
      const before = previous === null ? undefined : await deps.releases.release(service, previous);
      const now = await judgements.of(db, release);
      const listed = (now.listed ?? []).toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
      const found = withText(listed, query.find);
      const rest = found.filter(({ purl }) => purl > query.after);
      return {
        ...{ image: release.image, digest: release.digest, ...shown },
        size: shown.layers.reduce((sum, { size }) => sum + size, 0),
        attestation: await stateOf(db, release),
        previous,
        changes: changesSince(before && (await judgements.of(db, before)), now),
        packageCount: now.listed?.length ?? null,
        found: found.length,
        packages: rest.slice(0, query.limit),
      };
    },
  };
}

const viewOf = ({ id, pem, createdAt, retiredAt }: PublicKey) => ({
  ...{ id, publicKey: pem, createdAt: createdAt.toISOString() },
  retiredAt: retiredAt?.toISOString() ?? null,
});

async function keptRelease(
  { releases }: Deps,
  { service, number }: { service: string; number: number },
): Promise<Release | Refusal> {
  const release = await releases.release(service, number);
  if (!release) return refuse("release.none", `${service} has no release ${number}`);
  return release.retiredAt ? gone(release) : release;
}

const gone = ({ service, number }: Release) =>
  refuse(
    "release.none",
    `the image of ${service} #${number} is not kept any more, and what was attested of it went with it`,
  );

async function stateOf(db: Database, { id }: Release) {
  const row = await attestationStore(db).find(id);
  return row ? { state: row.state, reason: row.reason } : { state: "none" as const, reason: null };
}
