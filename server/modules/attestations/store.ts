import type { Kysely } from "kysely";
import type { Database } from "#kernel/database.ts";

export interface KeyRow {
  id: string;
  /** PEM. */
  public_key: string;
  sealed: string;
  created_at: Date;
}

export interface AttestationRow {
  release: string;
  service: string;
  number: number;
  /** Path in the registry. */
  image: string;
  digest: string;
  commit: string;
  state: "waiting" | "made" | "failed";
  reason: string | null;
  tries: number;
  packages: number | null;
  changed_at: Date;
}

type Tables = { attestation_keys: KeyRow; attestations: AttestationRow };

export function attestationStore(database: Database) {
  const db: Kysely<Tables> = database.withTables<Tables>();
  return {
    /** The newest first. */
    keys: () => db.selectFrom("attestation_keys").selectAll().orderBy("created_at", "desc").execute(),
    async insertKey(row: KeyRow): Promise<void> {
      await db.insertInto("attestation_keys").values(row).execute();
    },
    async resealKey(id: string, sealed: string): Promise<void> {
      await db.updateTable("attestation_keys").set({ sealed }).where("id", "=", id).execute();
    },
    find: (release: string) =>
      db.selectFrom("attestations").selectAll().where("release", "=", release).executeTakeFirst(),
    /** Begins anew. */
    async want(row: Omit<AttestationRow, "state" | "reason" | "tries" | "packages">): Promise<void> {
      const fresh = { state: "waiting" as const, reason: null, tries: 0, changed_at: row.changed_at };
      await db
        .insertInto("attestations")
        .values({ ...row, ...fresh, packages: null })
        .onConflict((conflict) => conflict.column("release").doUpdateSet(fresh))
        .execute();
    },
    /** The longest-waiting first. */
    waiting: (limit: number) =>
      db
        .selectFrom("attestations")
        .selectAll()
        .where("state", "=", "waiting")
        .orderBy("changed_at")
        .limit(limit)
        .execute(),
    async change(release: string, change: Partial<AttestationRow>): Promise<void> {
      await db.updateTable("attestations").set(change).where("release", "=", release).execute();
    },
  };
}
