import type { FastifyInstance } from "fastify";
import type { Role } from "#api/endpoint.ts";
import { type Clock, newId, newSecret } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Grants } from "#kernel/http.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Emit } from "#kernel/outbox.ts";
import { type Authenticate, createAuthenticate, hashOf } from "./authenticate.ts";
import { createPasswords } from "./passwords.ts";
import { accessRoutes } from "./routes.ts";
import { serveSessions } from "./session.ts";
import { accessStore } from "./store.ts";

export interface AccessDeps {
  db: Database;
  emit: Emit;
  clock: Clock;
  jobs: Jobs;
  /** What a new password's hash costs; see `password-hash.ts`. */
  passwordCost?: number;
}

export interface JobTokenRequest {
  /** Shown in the audit log. */
  name: string;
  grants: Grants;
  expiresAt: Date;
}

export interface Access {
  /** Who stands behind an `authorization` header: undefined without one, a refusal for a wrong or expired one. */
  authenticate: Authenticate;
  /** On the first start makes the user `admin` and answers its token, which is not kept anywhere else; later undefined. */
  ensureAdmin(): Promise<string | undefined>;
  /** The role of a user; undefined for a name that nobody has. */
  roleOf(user: string): Promise<Role | undefined>;
  /** A token for an agent; the caller keeps it. */
  issueAgentToken(name: string): Promise<string>;
  /** A token for an ingress, who is nobody but the one of that name; the caller keeps the secret, and `id` to end it. */
  issueIngressToken(tx: Tx, name: string): Promise<{ id: string; secret: string }>;
  /** From then on it opens nothing. */
  endToken(tx: Tx, id: string): Promise<void>;
  /** A short-lived token that reaches only what `grants` names. */
  issueJobToken(tx: Tx, request: JobTokenRequest): Promise<string>;
  /** The same for many at one go, in the order of the requests: all of them or none. */
  issueJobTokens(requests: JobTokenRequest[]): Promise<string[]>;
  handlers: ReturnType<typeof accessRoutes>;
  /** Signing in and out of a browser. */
  register(app: FastifyInstance): void;
  tasks: Record<string, Task>;
  /** Sets going the hourly removal of tokens past their end. */
  start(): Promise<void>;
}

const sweepTask = "access.sweep";
const sweepEveryMs = 60 * 60 * 1000;

export function createAccess({ db, emit, clock, jobs, passwordCost }: AccessDeps): Access {
  const store = accessStore(db);

  async function issue(tx: Database, token: Omit<Parameters<typeof store.insertToken>[0], "id" | "hash">) {
    const secret = `tw_${newSecret()}`;
    const row = await accessStore(tx).insertToken({ ...token, id: newId(), hash: hashOf(secret) });
    return { row, secret };
  }

  async function issueJobTokens(requests: JobTokenRequest[]): Promise<string[]> {
    const secrets = requests.map(() => `tw_${newSecret()}`);
    const rows = requests.map(({ name, grants, expiresAt }, index) => ({
      ...{ id: newId(), hash: hashOf(secrets[index] ?? ""), kind: "job" as const, user_name: null },
      ...{ name, grants, expires_at: expiresAt },
    }));
    await store.insertTokens(rows);
    return secrets;
  }

  async function ensureAdmin(): Promise<string | undefined> {
    return db.transaction().execute(async (tx) => {
      const made = await accessStore(tx).insertUser({ name: "admin", role: "admin" });
      if (!made) return undefined;
      const { secret } = await issue(tx, { kind: "user", name: "first start", user_name: "admin", expires_at: null });
      await emit(tx, "user:admin", "access.user-created", { user: "admin", role: "admin" });
      return secret;
    });
  }

  const sweepAt = (runAt: Date) =>
    db.transaction().execute((tx) => jobs.add(tx, sweepTask, {}, { key: sweepTask, runAt }));

  const authenticate = createAuthenticate(store, clock);
  const passwords = createPasswords({ db, emit, clock, passwordCost });

  return {
    authenticate,
    ensureAdmin,
    roleOf: async (user) => (await store.user(user))?.role,
    issueAgentToken: async (name) =>
      (await issue(db, { kind: "agent", name, user_name: null, expires_at: null })).secret,
    async issueIngressToken(tx, name) {
      const { row, secret } = await issue(tx, { kind: "ingress", name, user_name: null, expires_at: null });
      return { id: row.id, secret };
    },
    endToken: async (tx, id) => void (await accessStore(tx).deleteToken(id)),
    issueJobToken: async (tx, { name, grants, expiresAt }) =>
      (await issue(tx, { kind: "job", name, user_name: null, grants, expires_at: expiresAt })).secret,
    issueJobTokens,
    handlers: accessRoutes({ db, emit, clock, passwords, issue }),
    register: (app) => serveSessions(app, { db, emit, clock, authenticate, passwords, issue }),
    tasks: {
      async [sweepTask]() {
        await store.deleteExpiredTokens(clock.now());
        await sweepAt(new Date(clock.now().getTime() + sweepEveryMs));
      },
    },
    start: () => sweepAt(clock.now()),
  };
}
