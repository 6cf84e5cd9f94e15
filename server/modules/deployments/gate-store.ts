import { type Generated, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Place } from "./store.ts";

export interface SignOffRow extends Place {
  id: string;
  release_id: string;
  release: number;
  digest: string;
  /** Name of the rule in the environment file. */
  sign_off: string;
  user_name: string;
  note: string | null;
  at: Date;
  withdrawn_at: Date | null;
}

export interface LockRow extends Place {
  fence: number;
  owner: string;
  reason: string;
  at: Date;
  expires_at: Date;
}

type GateTables = {
  sign_offs: SignOffRow;
  place_locks: Omit<LockRow, "fence"> & { fence: Generated<number> };
  pushers: { repository: string; revision: string; user_name: string };
};

export interface ReleaseIn {
  release: string;
  environment: string;
}

export function gateStore(database: Database) {
  return { ...signOffStore(database), ...lockStore(database), ...pusherStore(database) };
}

/** A sign-off counts until it is withdrawn, or a newer release of the service has been deployed there after it. */
const expired = sql<boolean>`exists (select 1 from deployments d
  where d.service = sign_offs.service and d.environment = sign_offs.environment and d.outcome = 'succeeded'
    and d.release > sign_offs.release and d.finished_at > sign_offs.at)`;

function signOffStore(database: Database) {
  const db = database.withTables<GateTables>();
  return {
    /** Those that were not withdrawn, with whether they still count. */
    signOffs: (filter: Partial<Place> & { release?: number | undefined; limit: number }) =>
      db
        .selectFrom("sign_offs")
        .selectAll()
        .select(expired.as("expired"))
        .where("withdrawn_at", "is", null)
        .$if(filter.service !== undefined, (query) => query.where("service", "=", filter.service ?? ""))
        .$if(filter.environment !== undefined, (query) => query.where("environment", "=", filter.environment ?? ""))
        .$if(filter.release !== undefined, (query) => query.where("release", "=", filter.release ?? 0))
        .orderBy("at", "desc")
        .limit(filter.limit)
        .execute(),
    countingSignOffs: ({ release, environment }: ReleaseIn, digest: string) =>
      db
        .selectFrom("sign_offs")
        .select(["sign_off", "user_name"])
        .where("release_id", "=", release)
        .where("environment", "=", environment)
        .where("digest", "=", digest)
        .where("withdrawn_at", "is", null)
        .where(expired, "=", false)
        .execute(),
    /** Answers whether it is new. */
    async insertSignOff(row: Omit<SignOffRow, "withdrawn_at">): Promise<boolean> {
      // An expired one makes place for a new word on the same release.
      await db
        .updateTable("sign_offs")
        .set({ withdrawn_at: row.at })
        .where("release_id", "=", row.release_id)
        .where("environment", "=", row.environment)
        .where("sign_off", "=", row.sign_off)
        .where("user_name", "=", row.user_name)
        .where("withdrawn_at", "is", null)
        .where(expired, "=", true)
        .execute();
      const made = await db
        .insertInto("sign_offs")
        .values({ ...row, withdrawn_at: null })
        .onConflict((conflict) => conflict.doNothing())
        .returning("id")
        .execute();
      return made.length > 0;
    },
    /** Names of the sign-offs that were withdrawn. */
    withdraw: ({ release, environment }: ReleaseIn, by: { user: string; name: string | undefined; at: Date }) =>
      db
        .updateTable("sign_offs")
        .set({ withdrawn_at: by.at })
        .where("release_id", "=", release)
        .where("environment", "=", environment)
        .where("user_name", "=", by.user)
        .where("withdrawn_at", "is", null)
        .$if(by.name !== undefined, (query) => query.where("sign_off", "=", by.name ?? ""))
        .returning("sign_off")
        .execute(),
  };
}

function lockStore(database: Database) {
  const db = database.withTables<GateTables>();
  return {
    locks: (now: Date) =>
      db
        .selectFrom("place_locks")
        .selectAll()
        .where("expires_at", ">", now)
        .orderBy("environment")
        .orderBy("service")
        .execute(),
    /** Those that hold the environment, or one of the services there. */
    locksOn: ({ services, environment }: { services: readonly string[]; environment: string }, now: Date) =>
      db
        .selectFrom("place_locks")
        .selectAll()
        .where("service", "in", [...services, "*"])
        .where("environment", "in", [environment, "*"])
        .where("expires_at", ">", now)
        .orderBy("fence")
        .execute(),
    lockAt: ({ service, environment }: Place, now: Date) =>
      db
        .selectFrom("place_locks")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("expires_at", ">", now)
        .forUpdate()
        .executeTakeFirst(),
    /** Nothing when somebody holds it at that time; of two at once one gets it. */
    takeLock: (row: Omit<LockRow, "fence">) =>
      db
        .insertInto("place_locks")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["service", "environment"])
            .doUpdateSet({ ...row, fence: sql<number>`excluded.fence` })
            .where("place_locks.expires_at", "<=", row.at),
        )
        .returningAll()
        .executeTakeFirst(),
    removeLock: (fence: number) => db.deleteFrom("place_locks").where("fence", "=", fence).execute(),
  };
}

function pusherStore(database: Database) {
  const db = database.withTables<GateTables>();
  return {
    addPusher: (row: GateTables["pushers"]) =>
      db
        .insertInto("pushers")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    /** Who merges brings nothing of their own. */
    forgetPusher: ({ repository, revision, user_name }: GateTables["pushers"]) =>
      db
        .deleteFrom("pushers")
        .where("repository", "=", repository)
        .where("revision", "=", revision)
        .where("user_name", "=", user_name)
        .execute(),
    pushersOf: (repository: string, revisions: readonly string[]) =>
      db
        .selectFrom("pushers")
        .select("user_name")
        .distinct()
        .where("repository", "=", repository)
        .where("revision", "=", sql<string>`any(${[...revisions]}::text[])`)
        .execute(),
  };
}
