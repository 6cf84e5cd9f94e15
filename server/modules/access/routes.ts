import type { Role } from "#api/endpoint.ts";
import type { accessEndpoints } from "#api/endpoints/access.ts";
import { orThrow, refuse, type Refusal } from "#api/errors.ts";
import { readAudit } from "#kernel/audit.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { type Context, type Handlers, userOf } from "#kernel/http.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Passwords } from "./passwords.ts";
import { accessStore, type NewToken } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  passwords: Passwords;
  issue(db: Database, token: Omit<NewToken, "id" | "hash">): Promise<{ row: TokenRow; secret: string }>;
}

interface TokenRow {
  id: string;
  user_name: string | null;
  name: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
}

const day = 24 * 60 * 60 * 1000;

type Rows = Handlers<typeof accessEndpoints>;
type TokenRows = "listTokens" | "createToken" | "revokeToken";

export function accessRoutes(deps: Deps): Rows {
  return { ...userRoutes(deps), ...tokenRoutes(deps) };
}

function userRoutes({ db, emit, passwords }: Deps): Omit<Rows, TokenRows> {
  const store = accessStore(db);
  const view = async (tx: Database, name: string) =>
    viewUser(orThrow((await accessStore(tx).user(name)) ?? refuse("not-found", `there is no user ${name}`)));

  /** A browser may stand open before somebody else; whoever has a token can do all that its user can. */
  async function whyNotOwn(old: string | undefined, context: Context): Promise<Refusal | undefined> {
    const { name, token } = userOf(context);
    return (await store.token(token))?.session ? passwords.whyNotBy(old, name) : undefined;
  }

  return {
    whoAmI: (_, context) => view(db, userOf(context).name),

    listUsers: async () => ({ users: (await store.users()).map(viewUser) }),

    createUser: ({ body }, context) =>
      db.transaction().execute(async (tx) => {
        const made = await accessStore(tx).insertUser(body);
        if (!made) return refuse("conflict", `there is a user ${body.name} already`);
        await emit(tx, `user:${body.name}`, "access.user-created", {
          user: body.name,
          role: body.role,
          actor: userOf(context).name,
        });
        return view(tx, body.name);
      }),

    changeRole: ({ params, body }, context) =>
      db.transaction().execute(async (tx) => {
        const admins = await accessStore(tx).lockAdmins();
        const last = admins.length === 1 && admins[0]?.name === params.name && body.role !== "admin";
        if (last) return refuse("conflict", "this is the only admin; make another one first");
        const changed = await view(tx, params.name);
        await accessStore(tx).setRole(params.name, body.role);
        await emit(tx, `user:${params.name}`, "access.role-changed", {
          user: params.name,
          role: body.role,
          actor: userOf(context).name,
        });
        return { ...changed, role: body.role };
      }),

    async setPassword({ params: { name }, body }, context) {
      const caller = userOf(context);
      if (name !== caller.name && caller.role !== "admin")
        return refuse("auth.forbidden", "only an admin sets the passwords of others");
      await view(db, name);
      const denied = name === caller.name ? await whyNotOwn(body.oldPassword, context) : undefined;
      return denied ?? { user: name, sessionsEnded: await passwords.set(name, body.password, caller) };
    },

    listAudit: ({ query }) => readAudit(db, query),
  };
}

function tokenRoutes({ db, emit, clock, issue }: Deps): Pick<Rows, TokenRows> {
  const store = accessStore(db);
  return {
    async listTokens({ query }, context) {
      const caller = userOf(context);
      const user = query.user ?? caller.name;
      if (user !== caller.name && caller.role !== "admin")
        return refuse("auth.forbidden", "only an admin lists the tokens of others");
      if (!(await store.user(user))) return refuse("not-found", `there is no user ${user}`);
      return { tokens: (await store.tokens(user)).map(viewToken) };
    },

    createToken: ({ body }, context) => {
      const caller = userOf(context);
      const user = body.user ?? caller.name;
      if (user !== caller.name && caller.role !== "admin")
        return refuse("auth.forbidden", "only an admin makes tokens for others");
      return db.transaction().execute(async (tx) => {
        if (!(await accessStore(tx).user(user))) return refuse("not-found", `there is no user ${user}`);
        const expiresAt = body.expiresInDays ? new Date(clock.now().getTime() + body.expiresInDays * day) : null;
        const { row, secret } = await issue(tx, {
          kind: "user",
          name: body.name,
          user_name: user,
          expires_at: expiresAt,
        });
        await emit(tx, `user:${user}`, "access.token-created", {
          user,
          token: row.id,
          name: body.name,
          actor: caller.name,
        });
        return { ...viewToken(row), secret };
      });
    },

    revokeToken: ({ params }, context) =>
      db.transaction().execute(async (tx) => {
        const token = await accessStore(tx).token(params.id);
        const caller = userOf(context);
        // To others an existing token looks like a missing one.
        if (!token || (token.user_name !== caller.name && caller.role !== "admin"))
          return refuse("not-found", "you have no such token");
        await accessStore(tx).deleteToken(params.id);
        await emit(tx, `user:${token.user_name ?? token.kind}`, "access.token-revoked", {
          token: params.id,
          actor: caller.name,
        });
        return { revoked: true as const };
      }),
  };
}

function viewUser(row: { name: string; role: Role; created_at: Date; password_set_at: Date | null }) {
  return {
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    passwordSetAt: row.password_set_at?.toISOString() ?? null,
  };
}

function viewToken(row: TokenRow) {
  return {
    id: row.id,
    user: row.user_name ?? "",
    name: row.name,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
