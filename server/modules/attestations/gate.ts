/** What an environment demands of a release, and why it is not there: whatever is not proven is missing. */
import type { Database } from "#kernel/database.ts";
import type { Demand } from "./core/verdict.ts";
import type { Judgements } from "./judgements.ts";
import { attestationStore } from "./store.ts";

/** A sentence for each of the demands that is not met. */
export type Lacks = (db: Database, release: string, demands: readonly Demand[]) => Promise<string[]>;

export function createLacks(judgements: Judgements): Lacks {
  return async (db, release, demands) => {
    if (demands.length === 0) return [];
    const row = await attestationStore(db).find(release);
    if (!row) return [`nothing is attested of it: say \`towline release attest\``];
    if (row.state === "waiting") return ["what is attested of it is being made"];
    if (row.state === "failed")
      return [`what is attested of it could not be made (${row.reason}): see to it, then \`towline release attest\``];
    const { checks } = await judgements.of(db, row);
    return checks
      .filter(({ what, ok }) => !ok && demands.includes(what))
      .map(({ what, reason }) => `${what}: ${reason}`);
  };
}
