import { type Generated, type Kysely, sql } from "kysely";
import type { Database } from "#kernel/database.ts";

export interface KeyRow {
  id: string;
  /** PEM. */
  public_key: string;
  /** The private half; gone with the key's retirement. */
  sealed: string | null;
  created_at: Date;
  /** Null: it signs. */
  retired_at: Date | null;
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
  /** Digests of the manifests that were attached last. */
  attached: string[];
  changed_at: Date;
}

type Tables = {
  attestation_keys: KeyRow;
  attestations: Omit<AttestationRow, "attached"> & { attached: Generated<string[]> };
};

export function attestationStore(database: Database) {
  const db: Kysely<Tables> = database.withTables<Tables>();
  return {
    /** Until the transaction ends, nobody else changes which key signs. */
    lockKeys: () => sql`select pg_advisory_xact_lock(hashtextextended('attestation keys', 0))`.execute(db),
    /** The one that signs first, then those before it, newest first. */
    keys: () =>
      db
        .selectFrom("attestation_keys")
        .selectAll()
        .orderBy("retired_at", (order) => order.desc().nullsFirst())
        .execute(),
    async insertKey(row: Omit<KeyRow, "retired_at">): Promise<void> {
      await db
        .insertInto("attestation_keys")
        .values({ ...row, retired_at: null })
        .execute();
    },
    async retireKey(id: string, retired_at: Date): Promise<void> {
      await db.updateTable("attestation_keys").set({ sealed: null, retired_at }).where("id", "=", id).execute();
    },
    async forgetKeys(ids: readonly string[]): Promise<void> {
      await db.deleteFrom("attestation_keys").where("id", "in", ids).execute();
    },
    async resealKey(id: string, sealed: string): Promise<void> {
      const ofKey = db.updateTable("attestation_keys").set({ sealed }).where("id", "=", id);
      await ofKey.where("retired_at", "is", null).execute();
    },
    find: (release: string) =>
      db.selectFrom("attestations").selectAll().where("release", "=", release).executeTakeFirst(),
    /** Begins anew; what was attached stays noted, to be taken away. */
    async want(row: Omit<AttestationRow, "state" | "reason" | "tries" | "packages" | "attached">): Promise<void> {
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
