import { sql, type Generated } from "kysely";
import type { Role } from "#api/endpoint.ts";
import type { Database } from "#kernel/database.ts";
import type { Grants } from "#kernel/http.ts";
import type { KeptPassword } from "./password-hash.ts";

export type AccessTables = {
  users: { name: string; role: Role; created_at: Generated<Date> };
  tokens: {
    id: string;
    hash: string;
    kind: "user" | "agent" | "job" | "ingress";
    name: string;
    user_name: string | null;
    grants: Generated<Grants | Record<string, never>>;
    created_at: Generated<Date>;
    expires_at: Date | null;
    last_used_at: Date | null;
    session: Generated<boolean>;
  };
  passwords: KeptPassword & { user_name: string; set_at: Date };
};

export interface NewToken {
  id: string;
  hash: string;
  kind: "user" | "agent" | "job" | "ingress";
  name: string;
  user_name: string | null;
  grants?: Grants;
  expires_at: Date | null;
  /** Of a browser that signed in. */
  session?: boolean;
}

const tokenColumns = ["id", "user_name", "name", "created_at", "expires_at", "last_used_at"] as const;

/** Use of a token is noted at most this often, so that reading does not write. */
export const usedGranularityMs = 5 * 60 * 1000;

export function accessStore(database: Database) {
  const db = database.withTables<AccessTables>();
  const users = () =>
    db
      .selectFrom("users")
      .leftJoin("passwords", "user_name", "name")
      .select(["name", "role", "created_at", "set_at as password_set_at"]);
  return {
    users: () => users().orderBy("name").execute(),
    user: (name: string) => users().where("name", "=", name).executeTakeFirst(),
    insertUser: (user: { name: string; role: Role }) =>
      db
        .insertInto("users")
        .values(user)
        .onConflict((conflict) => conflict.doNothing())
        .returning("name")
        .executeTakeFirst(),
    setRole: (name: string, role: Role) => db.updateTable("users").set({ role }).where("name", "=", name).execute(),
    lockAdmins: () => db.selectFrom("users").select("name").where("role", "=", "admin").forUpdate().execute(),

    password: (user: string) => db.selectFrom("passwords").selectAll().where("user_name", "=", user).executeTakeFirst(),
    setPassword: (user_name: string, kept: KeptPassword, set_at: Date) =>
      db
        .insertInto("passwords")
        .values({ user_name, ...kept, set_at })
        .onConflict((conflict) => conflict.column("user_name").doUpdateSet({ ...kept, set_at }))
        .execute(),
    /** Undefined when it was changed; until the transaction ends it is not. */
    holdPassword: (user: string, { hash }: KeptPassword) =>
      db
        .selectFrom("passwords")
        .select("user_name")
        .where("user_name", "=", user)
        .where("hash", "=", hash)
        .forShare()
        .executeTakeFirst(),

    tokens: (user: string) =>
      db.selectFrom("tokens").select(tokenColumns).where("user_name", "=", user).orderBy("created_at").execute(),
    token: (id: string) =>
      db.selectFrom("tokens").select(["id", "user_name", "kind", "session"]).where("id", "=", id).executeTakeFirst(),
    insertToken: ({ grants, ...token }: NewToken) =>
      db
        .insertInto("tokens")
        .values({ ...token, ...(grants ? { grants: sql<Grants>`${JSON.stringify(grants)}::jsonb` } : {}) })
        .returning(tokenColumns)
        .executeTakeFirstOrThrow(),
    insertTokens: (tokens: (NewToken & { grants: Grants })[]) =>
      db
        .insertInto("tokens")
        .values(
          tokens.map(({ grants, ...token }) => ({ ...token, grants: sql<Grants>`${JSON.stringify(grants)}::jsonb` })),
        )
        .execute(),
    deleteToken: (id: string) => db.deleteFrom("tokens").where("id", "=", id).execute(),
    endSessions: (user: string, but: string) =>
      db
        .deleteFrom("tokens")
        .where("user_name", "=", user)
        .where("session", "=", true)
        .where("id", "<>", but)
        .returning("id")
        .execute(),
    deleteExpiredTokens: (now: Date) => db.deleteFrom("tokens").where("expires_at", "<", now).execute(),
    tokensByHash: (hashes: string[], now: Date) =>
      db
        .selectFrom("tokens")
        .leftJoin("users", "users.name", "tokens.user_name")
        .select(["tokens.id", "hash", "tokens.kind", "tokens.name", "tokens.user_name", "tokens.grants", "users.role"])
        .where("hash", "=", sql<string>`any(${hashes})`)
        .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", now)]))
        .execute(),
    noteUse: (id: string, now: Date) =>
      db
        .updateTable("tokens")
        .set({ last_used_at: now })
        .where("id", "=", id)
        .where((where) =>
          where.or([
            where("last_used_at", "is", null),
            where("last_used_at", "<", new Date(now.getTime() - usedGranularityMs)),
          ]),
        )
        .execute(),
  };
}
