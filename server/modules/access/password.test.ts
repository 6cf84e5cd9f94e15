import { afterAll, beforeEach, expect, test } from "vitest";
import { sql } from "kysely";
import { accessEndpoints } from "#api/endpoints/access.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { lockWaiters, testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { createAccess } from "./index.ts";

const database = await testDatabase();
const { db, log } = database;
const wake = await openWake(database.url, log);
const { emit } = createOutbox({ db, wake, log });
let now = new Date("2026-01-01T00:00:00Z");
// Hundreds of hashes are made here; their usual cost is that of the scenarios.
const access = createAccess({ db, emit, clock: { now: () => now }, jobs, passwordCost: 2 ** 10 });
const app = createHttp({ log });
const http = { log, authenticate: access.authenticate, stopping: new AbortController().signal };
serveEndpoints(app, http, { table: accessEndpoints, handlers: access.handlers });
access.register(app);
const admin = { authorization: `Bearer ${await access.ensureAdmin()}` };

afterAll(async () => {
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const own = { host: "towline.example:7300", origin: "http://towline.example:7300" };

async function ask(method: "GET" | "POST" | "PUT", url: string, headers: object, payload?: object) {
  const answer = await app.inject({ method, url, headers: { ...headers }, ...(payload ? { payload } : {}) });
  const { status, code } = { status: answer.statusCode, ...answer.json().error };
  const cookie = String(answer.headers["set-cookie"] ?? "").split(";")[0] ?? "";
  return { status, code, body: answer.json(), headers: answer.headers, browser: { ...own, cookie } };
}

const set = (name: string, headers: object, body: object) => ask("PUT", `/api/users/${name}/password`, headers, body);
const signIn = (name: string, password: string, headers: object = own) =>
  ask("POST", "/api/session", headers, { name, password });

const [lea, other] = ["correct horse battery", "another long sentence"];

beforeEach(async () => {
  // Attempts of the test before are forgotten.
  now = new Date(now.getTime() + 60 * 60 * 1000);
  await ask("POST", "/api/users", admin, { name: "lea", role: "lead" });
  await set("lea", admin, { password: lea });
});

test("name and password sign a browser in like a token does", async () => {
  const { status, body, browser } = await signIn(" lea ", lea);
  expect({ status, body }).toEqual({ status: 200, body: { name: "lea", role: "lead" } });
  const who = await ask("GET", "/api/whoami", browser);
  expect(who.body).toMatchObject({ name: "lea", role: "lead", passwordSetAt: now.toISOString() });
  expect((await ask("GET", "/api/whoami", admin)).body.passwordSetAt).toBeNull();
});

test("an unknown user, one without a password and a wrong one are answered alike", async () => {
  await ask("POST", "/api/users", admin, { name: "tim", role: "viewer" });
  const answers = [];
  for (const [name, password] of [["nobody", lea] as const, ["tim", lea] as const, ["lea", other] as const]) {
    const { status, browser, body } = await signIn(name, password);
    answers.push({ status, cookie: browser.cookie, error: { ...body.error, requestId: "" } });
  }
  expect(answers[0]).toMatchObject({ status: 401, cookie: "", error: { code: "auth.bad-password" } });
  expect(answers).toEqual([answers[0], answers[0], answers[0]]);
});

test("letters are the same however a keyboard composes them", async () => {
  await set("lea", admin, { password: "Überraschung am Caf\u00e9" });
  expect((await signIn("lea", "U\u0308berraschung am Cafe\u0301")).status).toBe(200);
});

test("no password is kept in clear, and two that are the same are kept differently", async () => {
  await ask("POST", "/api/users", admin, { name: "leo", role: "lead" });
  await set("leo", admin, { password: lea });
  const { rows } = await sql<{ row: string; hash: Buffer }>`select p::text as row, hash from passwords p`.execute(db);
  expect(new Set(rows.map(({ hash }) => hash.toString("hex"))).size).toBe(rows.length);
  expect(rows.length).toBeGreaterThan(1);
  const { rows: events } = await sql<{ text: string }>`select payload::text as text from events`.execute(db);
  const all = [...rows.map(({ row }) => row), ...events.map(({ text }) => text)].join("\n");
  expect(all).not.toContain(lea);
  expect(all).not.toContain(Buffer.from(lea).toString("hex"));
});

test("one that is too short or too long is refused with the reason", async () => {
  for (const [password, why] of [
    ["eleven char", "12 characters or more"],
    ["ü".repeat(129), "at most 256 bytes"],
  ] as const) {
    const { status, code, body } = await set("lea", admin, { password });
    expect([status, code]).toEqual([400, "request.invalid"]);
    expect(body.error.message).toContain(why);
  }
  expect((await set("lea", admin, { password: "ü".repeat(128) })).status).toBe(200);
});

test("only an admin sets that of others", async () => {
  const { browser } = await signIn("lea", lea);
  expect((await set("admin", browser, { password: other, oldPassword: lea })).code).toBe("auth.forbidden");
  expect((await set("nobody", admin, { password: other })).code).toBe("not-found");
});

test("in a browser one's own is changed by telling the old one, with a token without", async () => {
  const { browser } = await signIn("lea", lea);
  expect((await set("lea", browser, { password: other })).code).toBe("auth.bad-password");
  expect((await set("lea", browser, { password: other, oldPassword: other })).code).toBe("auth.bad-password");
  expect((await set("lea", browser, { password: other, oldPassword: lea })).status).toBe(200);
  expect((await signIn("lea", other)).status).toBe(200);
  const { secret } = (await ask("POST", "/api/tokens", admin, { name: "laptop", user: "lea" })).body;
  expect((await set("lea", { authorization: `Bearer ${secret}` }, { password: lea })).status).toBe(200);
});

test("a new one ends the other browser sessions of this person, and nothing else", async () => {
  const { browser: here } = await signIn("lea", lea);
  const { browser: there } = await signIn("lea", lea);
  const { secret } = (await ask("POST", "/api/tokens", admin, { name: "laptop", user: "lea" })).body;
  const changed = await set("lea", here, { password: other, oldPassword: lea });
  expect(changed.body.sessionsEnded).toBeGreaterThanOrEqual(1);
  const statuses = [];
  for (const headers of [here, there, { authorization: `Bearer ${secret}` }, admin])
    statuses.push((await ask("GET", "/api/whoami", headers)).status);
  expect(statuses).toEqual([200, 401, 200, 200]);
  expect((await signIn("lea", lea)).code).toBe("auth.bad-password");
  const [entry] = (await ask("GET", "/api/audit?name=access.password-set", admin)).body.entries;
  expect(entry).toMatchObject({ actor: "lea", facts: { user: "lea" } });
});

/** Each is sent once the one before it waits for the password of lea, which is held until all do. */
async function inOrder<T>(...asked: (() => Promise<T>)[]): Promise<T[]> {
  const answers: Promise<T>[] = [];
  await db.transaction().execute(async (tx) => {
    await sql`select 1 from passwords where user_name = 'lea' for update`.execute(tx);
    for (const ask of asked) {
      answers.push(ask());
      await until(async () => (await lockWaiters(db)) === answers.length);
    }
  });
  return Promise.all(answers);
}

test("a session that the old password opens while it is changed ends with the change", async () => {
  const [entered, changed] = await inOrder(
    () => signIn("lea", lea),
    () => set("lea", admin, { password: other }),
  );
  expect([entered?.status, changed?.status]).toEqual([200, 200]);
  expect((await ask("GET", "/api/whoami", entered?.browser ?? {})).status).toBe(401);
});

test("whoever told the old password just before it was changed is not let in", async () => {
  const [changed, entered] = await inOrder(
    () => set("lea", admin, { password: other }),
    () => signIn("lea", lea),
  );
  expect([changed?.status, entered?.code]).toEqual([200, "auth.bad-password"]);
  expect(entered?.browser.cookie).toBe("");
});

test("ten wrong ones in a quarter of an hour close the door for this user, also to many at once, and say how long", async () => {
  const tries = await Promise.all(Array.from({ length: 14 }, () => signIn("lea", other)));
  expect(tries.filter(({ code }) => code === "auth.bad-password")).toHaveLength(10);
  const late = await signIn("lea", lea);
  expect(late).toMatchObject({ status: 429, code: "auth.too-many-attempts", headers: { "retry-after": "900" } });
  expect(late.body.error.details).toEqual({ retryAfterSeconds: 900 });
  expect(late.body.error.message).toContain("try again in 15 minutes");
  // Whoever has a token, and everybody else, is let in.
  await set("admin", admin, { password: other });
  expect((await signIn("admin", other)).status).toBe(200);
  now = new Date(now.getTime() + 15 * 60 * 1000);
  expect((await signIn("lea", lea)).status).toBe(200);
});

test("who signs in rightly is never counted", async () => {
  for (let time = 0; time < 12; time++) expect((await signIn("lea", lea)).status).toBe(200);
});

test("fifty wrong ones from one address close the door for it, whatever the names; a proxy on this machine tells whose it is", async () => {
  const from = (address: string) => ({ ...own, "x-forwarded-for": address });
  for (let time = 0; time < 50; time++)
    expect((await signIn(`user${time}`, other, from("203.0.113.7"))).code).toBe("auth.bad-password");
  expect((await signIn("lea", lea, from("203.0.113.7"))).code).toBe("auth.too-many-attempts");
  expect((await signIn("lea", lea, from("203.0.113.8"))).status).toBe(200);
});

test("the old password is guessed no more often from an open browser", async () => {
  const { browser } = await signIn("lea", lea);
  for (let time = 0; time < 10; time++)
    expect((await set("lea", browser, { password: other, oldPassword: other })).code).toBe("auth.bad-password");
  const late = await set("lea", browser, { password: other, oldPassword: lea });
  expect(late.code).toBe("auth.too-many-attempts");
});
