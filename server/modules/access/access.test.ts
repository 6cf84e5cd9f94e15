import { afterAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { accessEndpoints } from "#api/endpoints/access.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { testDatabase } from "#testing/database.ts";
import { createAccess } from "./index.ts";

const database = await testDatabase();
const wake = await openWake(database.url, database.log);
afterAll(async () => {
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const { db, log } = database;
let now = new Date("2026-01-01T00:00:00Z");
const clock: Clock = { now: () => now };
const { emit } = createOutbox({ db, wake, log });
const access = createAccess({ db, emit, clock, jobs });
const app = createHttp({ log });
serveEndpoints(
  app,
  { log, authenticate: access.authenticate, stopping: new AbortController().signal },
  { table: accessEndpoints, handlers: access.handlers },
);

const admin = (await access.ensureAdmin()) ?? "";

async function call(token: string, method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) {
  const answer = await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${token}` },
    ...(payload ? { payload } : {}),
  });
  return { status: answer.statusCode, body: answer.json() };
}

async function newUser(name: string, role: string): Promise<string> {
  await call(admin, "POST", "/api/users", { name, role });
  return (await call(admin, "POST", "/api/tokens", { name: "t", user: name })).body.secret;
}

describe("access", () => {
  test("gives the admin's token on the first start only, also when two servers start at once", async () => {
    expect(admin).toMatch(/^tw_/);
    expect(await Promise.all([access.ensureAdmin(), access.ensureAdmin()])).toEqual([undefined, undefined]);
  });

  test("keeps no token in clear", async () => {
    const { rows } = await sql<{ row: string }>`select tokens::text as row from tokens`.execute(db);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ row }) => row.includes(admin))).toBe(false);
  });

  test("refuses a wrong, an expired and a revoked token alike", async () => {
    const { body } = await call(admin, "POST", "/api/tokens", { name: "short", expiresInDays: 1 });
    expect((await call(body.secret, "GET", "/api/whoami")).status).toBe(200);
    now = new Date("2026-01-03T00:00:00Z");
    expect((await call(body.secret, "GET", "/api/whoami")).body.error.code).toBe("auth.bad-token");
    const other = (await call(admin, "POST", "/api/tokens", { name: "other" })).body;
    await call(admin, "DELETE", `/api/tokens/${other.id}`);
    expect((await call(other.secret, "GET", "/api/whoami")).body.error.code).toBe("auth.bad-token");
    expect((await call("tw_wrong", "GET", "/api/whoami")).body.error.code).toBe("auth.bad-token");
  });

  test("lets only an admin make users and tokens for others", async () => {
    const developer = await newUser("dora", "developer");
    expect((await call(developer, "POST", "/api/users", { name: "eve", role: "admin" })).status).toBe(403);
    expect((await call(developer, "POST", "/api/tokens", { name: "x", user: "admin" })).status).toBe(403);
    expect((await call(developer, "POST", "/api/tokens", { name: "mine" })).status).toBe(200);
  });

  test("shows nobody the tokens of others, nor lets them revoke one", async () => {
    const developer = await newUser("dan", "developer");
    const mine = (await call(admin, "POST", "/api/tokens", { name: "mine" })).body;
    expect((await call(developer, "DELETE", `/api/tokens/${mine.id}`)).status).toBe(404);
    const { body } = await call(developer, "GET", "/api/tokens");
    expect(body.tokens.every(({ user }: { user: string }) => user === "dan")).toBe(true);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect((await call(developer, "GET", "/api/tokens?user=admin")).body.error.code).toBe("auth.forbidden");
    expect((await call(admin, "GET", "/api/tokens?user=dan")).body).toEqual(body);
    expect((await call(admin, "GET", "/api/tokens?user=nobody")).body.error.code).toBe("not-found");
  });

  test("never loses its last admin", async () => {
    expect((await call(admin, "PATCH", "/api/users/admin", { role: "viewer" })).body.error.code).toBe("conflict");
    await newUser("ada", "admin");
    expect((await call(admin, "PATCH", "/api/users/ada", { role: "viewer" })).body).toMatchObject({ role: "viewer" });
  });

  test("gives a job a token that reaches only what it names, until its end", async () => {
    const grants = { repositories: { catalog: ["pull" as const] } };
    const token = await db
      .transaction()
      .execute((tx) => access.issueJobToken(tx, { name: "job", grants, expiresAt: new Date(now.getTime() + 1000) }));
    expect(orThrow((await access.authenticate(`Bearer ${token}`)) ?? { kind: "nobody" })).toMatchObject({
      kind: "job",
      grants,
    });
    expect((await call(token, "GET", "/api/whoami")).status).toBe(403);
    now = new Date(now.getTime() + 2000);
    expect(isRefusal(await access.authenticate(`Bearer ${token}`))).toBe(true);
    await access.tasks["access.sweep"]?.({}, new AbortController().signal);
    const { rows } = await sql<{ n: number }>`select count(*) n from tokens where kind = 'job'`.execute(db);
    expect(rows).toEqual([{ n: 0 }]);
  });
});

describe("the audit log", () => {
  test("tells admins who did what, newest first, by person and by the beginning of a name", async () => {
    const root = await newUser("rita", "admin");
    await call(root, "POST", "/api/users", { name: "hired", role: "viewer" });
    await call(root, "PATCH", "/api/users/hired", { role: "lead" });
    const entries = async (query: string) => (await call(root, "GET", `/api/audit?${query}`)).body.entries;
    expect(await entries("actor=rita")).toMatchObject([
      { name: "access.role-changed", actor: "rita", facts: { user: "hired", role: "lead" } },
      { name: "access.user-created", actor: "rita", facts: { user: "hired" } },
    ]);
    const [newest] = await entries("name=access.role&limit=1");
    expect(newest).toMatchObject({ facts: { user: "hired" } });
    const before = await entries(`name=access.role&before=${newest.id}`);
    expect(before.every(({ id }: { id: number }) => id < newest.id)).toBe(true);
    expect((await call(await newUser("lea", "lead"), "GET", "/api/audit")).status).toBe(403);
    for (const query of ["name=%27;--", "limit=9999", "actor=A%20B", "before=0"])
      expect((await call(root, "GET", `/api/audit?${query}`)).body.error.code).toBe("request.invalid");
  });

  test("says it in a sentence, is asked by what it is about, and is read to its end however long it is", async () => {
    const root = await newUser("ruth", "admin");
    await newUser("lars", "lead");
    await db.transaction().execute((tx) =>
      emit.all(
        tx,
        "environment:long",
        Array.from({ length: 1_203 }, (_, index) => ({
          name: "fleet.key-rotated" as const,
          payload: { key: `key ${index}`, actor: "lars" },
        })),
      ),
    );
    const entries = async (query: string) => (await call(root, "GET", `/api/audit?${query}`)).body.entries;
    expect(await entries("kind=people%20and%20tokens&limit=2&actor=admin")).toMatchObject([
      { kind: "people and tokens", sentence: "admin made the token “t” for lars" },
      { kind: "people and tokens", sentence: "admin added lars with the role lead" },
    ]);
    const ids: number[] = [];
    for (let page = await entries("kind=rules%20and%20secrets&actor=lars&limit=500"); page.length > 0;) {
      ids.push(...page.map(({ id }: { id: number }) => id));
      page = await entries(`kind=rules%20and%20secrets&actor=lars&limit=500&before=${ids.at(-1)}`);
    }
    expect(ids).toHaveLength(1_203);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a));
    expect((await call(root, "GET", "/api/audit?kind=gossip")).body.error.code).toBe("request.invalid");
  });

  test("is only added to", async () => {
    await expect(sql`update events set name = 'x'`.execute(db)).rejects.toThrow("events are only added");
    await expect(sql`delete from events`.execute(db)).rejects.toThrow("events of the last 30 days stay");
  });
});
