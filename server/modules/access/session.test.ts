import { afterAll, expect, test } from "vitest";
import { accessEndpoints } from "#api/endpoints/access.ts";
import { systemClock } from "#kernel/clock.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { testDatabase } from "#testing/database.ts";
import { createAccess } from "./index.ts";

const database = await testDatabase();
const { db, log } = database;
const wake = await openWake(database.url, log);
const { emit } = createOutbox({ db, wake, log });
const access = createAccess({ db, emit, clock: systemClock, jobs });
const app = createHttp({ log });
const http = { log, authenticate: access.authenticate, stopping: new AbortController().signal };
serveEndpoints(app, http, { table: accessEndpoints, handlers: access.handlers });
access.register(app);
const admin = (await access.ensureAdmin()) ?? "";

afterAll(async () => {
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const own = { host: "towline.example:7300", origin: "http://towline.example:7300" };

async function ask(method: "GET" | "POST" | "DELETE", url: string, headers: object, payload?: object) {
  const answer = await app.inject({ method, url, headers: { ...headers }, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.json(), cookie: String(answer.headers["set-cookie"] ?? "") };
}

async function signIn(headers: object = own) {
  const said = await ask("POST", "/api/session", headers, { token: admin });
  return { ...said, cookie: said.cookie.split(";")[0] ?? "", attributes: said.cookie };
}

test("a token signs a browser in, by a cookie that no script reads and no other site sends", async () => {
  const { status, body, cookie, attributes } = await signIn();
  expect({ status, body }).toEqual({ status: 200, body: { name: "admin", role: "admin" } });
  expect(attributes).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  expect(attributes).not.toContain(admin);
  expect((await ask("GET", "/api/whoami", { cookie })).body).toMatchObject({ name: "admin" });
  const secure = await signIn({ host: "towline.example", origin: "https://towline.example" });
  expect(secure.attributes).toContain("; Secure");
});

test("a wrong token, an agent's token and a body of another form sign nobody in", async () => {
  const agent = await access.issueAgentToken("one");
  const codes = [];
  for (const body of [{ token: "tw_wrong" }, { token: agent }, { password: "x" }, { token: "" }]) {
    const said = await ask("POST", "/api/session", own, body);
    expect(said.cookie).toBe("");
    codes.push(`${said.status} ${said.body.error.code}`);
  }
  expect(codes).toEqual(["401 auth.bad-token", "401 auth.bad-token", "400 request.invalid", "400 request.invalid"]);
});

test("with a cookie a page of another address reads nothing of ours and changes nothing", async () => {
  const { cookie } = await signIn();
  const user = { name: "mallory", role: "admin" };
  for (const origin of ["http://evil.example", "null", "http://towline.example:7301", undefined]) {
    const headers = { cookie, host: own.host, ...(origin ? { origin } : {}) };
    expect((await ask("POST", "/api/users", headers, user)).body.error.code).toBe("auth.other-origin");
    expect((await ask("POST", "/api/session", headers, { token: admin })).body.error.code).toBe("auth.other-origin");
    expect((await ask("DELETE", "/api/session", headers)).body.error.code).toBe("auth.other-origin");
  }
  expect((await ask("POST", "/api/users", { ...own, cookie }, { name: "eve", role: "viewer" })).status).toBe(200);
  // A program with a token has no origin, and a cookie beside it does not count.
  const program = { authorization: `Bearer ${admin}`, cookie: "towline_session=wrong" };
  expect((await ask("POST", "/api/users", program, { name: "max", role: "viewer" })).status).toBe(200);
});

test("signing out ends the session for every copy of the cookie, and is no error without one", async () => {
  const { cookie } = await signIn();
  const out = await ask("DELETE", "/api/session", { ...own, cookie });
  expect({ status: out.status, cookie: out.cookie }).toMatchObject({
    status: 200,
    cookie: expect.stringMatching(/^towline_session=; .*Max-Age=0/),
  });
  expect((await ask("GET", "/api/whoami", { cookie })).status).toBe(401);
  expect((await ask("DELETE", "/api/session", { ...own, cookie })).status).toBe(200);
  expect((await ask("DELETE", "/api/session", own)).status).toBe(200);
});

test("a session is listed among the tokens of its user and can be revoked there", async () => {
  const { cookie } = await signIn();
  const { tokens } = (await ask("GET", "/api/tokens", { cookie })).body;
  const session = tokens.findLast(({ name }: { name: string }) => name === "browser session");
  expect(session.expiresAt).not.toBeNull();
  const revoked = await ask("DELETE", `/api/tokens/${session.id}`, { authorization: `Bearer ${admin}` });
  expect(revoked.status).toBe(200);
  expect((await ask("GET", "/api/whoami", { cookie })).status).toBe(401);
});
