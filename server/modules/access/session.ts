/** Signing in and out of a browser. No rows: what they answer is a cookie. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { isRefusal, orThrow, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { sendRefusal } from "#kernel/http.ts";
import type { Emit } from "#kernel/outbox.ts";
import { authorizationOf, isOwnOrigin, sessionCookie } from "#kernel/session-cookie.ts";
import type { Authenticate } from "./authenticate.ts";
import type { KeptPassword } from "./password-hash.ts";
import type { Passwords } from "./passwords.ts";
import { accessStore, type NewToken } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  authenticate: Authenticate;
  passwords: Passwords;
  issue(db: Database, token: Omit<NewToken, "id" | "hash">): Promise<{ row: { id: string }; secret: string }>;
}

const sessionSeconds = 7 * 24 * 60 * 60;
const signInBody = z.union([
  z.strictObject({ token: z.string().min(1).max(200) }),
  z.strictObject({ name: z.string().min(1).max(200), password: z.string().min(1).max(1_000) }),
]);

/**
 * `POST /api/session` with `{"token"}` or `{"name", "password"}` signs the browser in for a week and answers `{"name", "role"}`; `DELETE` signs it out.
 * Both only from our own pages: another site must not sign anybody in as somebody else either.
 */
export function serveSessions(app: FastifyInstance, deps: Deps): void {
  app.post("/api/session", (request, reply) => answer(request, reply, () => signIn(deps, request, reply)));
  app.delete("/api/session", (request, reply) => answer(request, reply, () => signOut(deps, request, reply)));
}

async function answer(request: FastifyRequest, reply: FastifyReply, act: () => Promise<object>): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  const result = isOwnOrigin(request.headers)
    ? await act()
    : refuse("auth.other-origin", "only Towline's own pages sign a browser in or out");
  return isRefusal(result) ? sendRefusal(reply, result) : reply.send(result);
}

interface Comer {
  name: string;
  role: string;
  /** What he came in by, if by a password. */
  password?: KeptPassword;
}

async function whoComes(deps: Deps, request: FastifyRequest): Promise<Comer | Refusal> {
  const { data: said } = signInBody.safeParse(request.body);
  if (!said) return refuse("request.invalid", 'the body is to be `{"token": "…"}` or `{"name": "…", "password": "…"}`');
  if ("token" in said) {
    const principal = await deps.authenticate(`Bearer ${said.token.trim()}`);
    if (isRefusal(principal)) return principal;
    return principal?.kind === "user"
      ? principal
      : refuse("auth.bad-token", "this is the token of a program, not of a person");
  }
  const name = said.name.trim();
  const password = await deps.passwords.check(name, said.password, request.ip);
  if (!isRefusal(password)) return { name, role: (await accessStore(deps.db).user(name))?.role ?? "", password };
  request.log.warn({ user: name, address: request.ip, code: password.refused }, "a password let nobody in");
  return password;
}

async function signIn(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ name: string; role: string } | Refusal> {
  const { db, emit, clock, issue } = deps;
  const comer = await whoComes(deps, request);
  if (isRefusal(comer)) return comer;
  const { name, role, password } = comer;
  const expires = new Date(clock.now().getTime() + sessionSeconds * 1000);
  const secret = await db.transaction().execute(async (tx) => {
    // Whoever changes it ends all sessions: none is made by the old one after that.
    const changed = password && !(await accessStore(tx).holdPassword(name, password));
    if (changed) orThrow(refuse("auth.bad-password", "the password was changed just now"));
    const session = { kind: "user" as const, name: "browser session", user_name: name, expires_at: expires };
    const issued = await issue(tx, { ...session, session: true });
    const facts = { user: name, token: issued.row.id, name: session.name, actor: name };
    await emit(tx, `user:${name}`, "access.token-created", facts);
    return issued.secret;
  });
  reply.header("set-cookie", sessionCookie(secret, sessionSeconds, isSecure(request)));
  return { name, role };
}

async function signOut(
  { db, emit, authenticate }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ signedOut: true }> {
  const authorization = authorizationOf({ method: "GET", headers: request.headers });
  const principal = isRefusal(authorization) ? undefined : await authenticate(authorization);
  // A session that has ended is what was wanted.
  if (principal && !isRefusal(principal) && principal.kind === "user")
    await db.transaction().execute(async (tx) => {
      await accessStore(tx).deleteToken(principal.token);
      const facts = { token: principal.token, actor: principal.name };
      await emit(tx, `user:${principal.name}`, "access.token-revoked", facts);
    });
  reply.header("set-cookie", sessionCookie("", 0, isSecure(request)));
  return { signedOut: true };
}

/** Behind a proxy that speaks TLS for us, the page's own address tells. */
function isSecure({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith("https:") ?? false;
}
