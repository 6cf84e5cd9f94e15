import { describe, expect, test } from "vitest";
import { z } from "zod";
import { endpoints, leading } from "#api/endpoint.ts";
import { refuse } from "#api/errors.ts";
import { createHttp, type Handlers, type Principal, serveEndpoints } from "./http.ts";
import { createLog } from "./log.ts";

const table = endpoints({
  greet: {
    method: "POST",
    path: "/api/greet/:name",
    summary: "Say hello.",
    auth: "public",
    params: z.object({ name: z.string().max(5) }),
    body: z.strictObject({ loud: z.boolean() }),
    response: z.object({ text: z.string() }),
  },
  lead: { method: "GET", path: "/api/lead", summary: "Leads only.", auth: { roles: leading }, response: z.object({}) },
  work: { method: "GET", path: "/api/work", summary: "Agents only.", auth: { agent: true }, response: z.object({}) },
  broken: { method: "GET", path: "/api/broken", summary: "Breaks.", auth: "public", response: z.object({}) },
});

const handlers: Handlers<typeof table> = {
  greet: ({ params, body }) => ({ text: body.loud ? params.name.toUpperCase() : params.name, secret: "never sent" }),
  lead: () => ({}),
  work: () => ({}),
  broken: () => {
    throw new Error("internal detail");
  },
};

const people: Record<string, Principal> = {
  lead: { kind: "user", name: "lea", role: "lead", token: "t" },
  viewer: { kind: "user", name: "vic", role: "viewer", token: "t" },
  agent: { kind: "agent", name: "a1", token: "t" },
};

function app() {
  const log = createLog("silent");
  const http = createHttp({ log });
  const authenticate = async (header: string | undefined) =>
    header ? (people[header] ?? refuse("auth.bad-token", "no")) : undefined;
  serveEndpoints(http, { log, authenticate, stopping: new AbortController().signal }, { table, handlers });
  return http;
}

const statusOf = async (url: string, authorization?: string) =>
  (await app().inject({ url, headers: authorization ? { authorization } : {} })).statusCode;

describe("an endpoint row", () => {
  test("answers only what its response schema names", async () => {
    const answer = await app().inject({ method: "POST", url: "/api/greet/ada", payload: { loud: true } });
    expect(answer.json()).toEqual({ text: "ADA" });
  });

  test("tells somebody without a token how to get one", async () => {
    const answer = await app().inject({ url: "/api/lead" });
    expect(answer.json().error).toMatchObject({
      code: "auth.required",
      fix: "Run `towline login`, or set TOWLINE_TOKEN.",
    });
  });

  test("refuses a request of another shape with the place of the fault", async () => {
    const answer = await app().inject({ method: "POST", url: "/api/greet/ada", payload: { loud: "yes", more: 1 } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({ code: "request.invalid", requestId: answer.headers["x-request-id"] });
    expect(answer.json().error.message).toContain("body.loud");
  });

  test("lets in exactly those its rule names", async () => {
    expect([
      await statusOf("/api/lead"),
      await statusOf("/api/lead", "viewer"),
      await statusOf("/api/lead", "lead"),
    ]).toEqual([401, 403, 200]);
    expect([await statusOf("/api/work", "lead"), await statusOf("/api/work", "agent")]).toEqual([403, 200]);
    expect(await statusOf("/api/lead", "agent")).toBe(403);
    expect(await statusOf("/api/greet/ada", "wrong")).toBe(404);
  });

  test("tells nothing of what broke inside", async () => {
    const answer = await app().inject({ url: "/api/broken" });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("internal detail");
  });

  test("refuses a body over the limit", async () => {
    const answer = await app().inject({
      method: "POST",
      url: "/api/greet/ada",
      payload: { loud: "x".repeat(2_000_000) },
    });
    expect(answer.json().error.code).toBe("request.too-large");
  });

  test("learns of a caller who goes while he is being authenticated", async () => {
    const [asked, answered, gone] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const log = createLog("silent");
    await using http = createHttp({ log });
    const authenticate = async () => {
      asked?.resolve();
      await answered?.promise;
      return people["agent"];
    };
    const work: (typeof handlers)["work"] = (_, { signal }) => {
      if (signal.aborted) gone?.resolve();
      return {};
    };
    const rows = { table, handlers: { ...handlers, work } };
    serveEndpoints(http, { log, authenticate, stopping: new AbortController().signal }, rows);
    const closed = new Promise((resolve) => http.server.once("connection", (socket) => socket.once("close", resolve)));
    const url = await http.listen({ host: "127.0.0.1", port: 0 });
    const caller = new AbortController();
    const call = fetch(`${url}/api/work`, { signal: caller.signal }).catch(() => undefined);
    await asked?.promise;
    caller.abort();
    await Promise.all([call, closed]);
    answered?.resolve();
    await gone?.promise;
  });
});
