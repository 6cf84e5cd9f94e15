/** What an environment demands of a release, and why it is not there: whatever is not proven is missing. */
import type { Database } from "#kernel/database.ts";
import type { Demand } from "./core/verdict.ts";
import { type AttestationRow, attestationStore } from "./store.ts";
import { judge, type Judged, type VerificationDeps } from "./verification.ts";

/** A sentence for each of the demands that is not met. */
export type Lacks = (db: Database, release: string, demands: readonly Demand[]) => Promise<string[]>;

const mostRemembered = 200;

/** Gates are asked often, and what a digest names never changes: what was found about the same manifests is remembered. */
export function createLacks({ contents, keys }: VerificationDeps): Lacks {
  const remembered = new Map<string, Promise<Judged["checks"]>>();

  async function checksOf(db: Database, row: AttestationRow): Promise<Judged["checks"]> {
    const about = await contents.about(db, row.image, row.digest);
    const trusted = await keys.trusted(db);
    const key = [row.digest, row.commit, ...trusted.map(({ id }) => id), ...about.map(({ digest }) => digest)].join(
      " ",
    );
    const known = remembered.get(key);
    if (known) return known;
    const found = judge(contents, { about, trusted, release: row }).then(({ checks }) => checks);
    remembered.set(key, found);
    found.catch(() => remembered.delete(key));
    for (const oldest of [...remembered.keys()].slice(0, remembered.size - mostRemembered)) remembered.delete(oldest);
    return found;
  }

  return async (db, release, demands) => {
    if (demands.length === 0) return [];
    const row = await attestationStore(db).find(release);
    if (!row) return [`nothing is attested of it: say \`towline release attest\``];
    if (row.state === "waiting") return ["what is attested of it is being made"];
    if (row.state === "failed")
      return [`what is attested of it could not be made (${row.reason}): see to it, then \`towline release attest\``];
    const checks = await checksOf(db, row);
    return checks
      .filter(({ what, ok }) => !ok && demands.includes(what))
      .map(({ what, reason }) => `${what}: ${reason}`);
  };
}
