/** Who may do what, and Docker's token flow. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Role } from "#api/endpoint.ts";
import {
  basic,
  jobToken,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  pushImage,
  registryClient,
  type RegistryClient,
  sha256,
  startTestRegistry,
  userToken,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;
let nobody: RegistryClient;
let now = new Date("2026-03-01T12:00:00Z");

beforeAll(async () => {
  opened = await openTestRegistry({ clock: { now: () => now } });
  client = opened.client;
  nobody = registryClient(opened.registry.url);
  await pushImage(client, { repository: "shop", tag: "v1" });
  await pushImage(client, { repository: "other", tag: "v1" });
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

interface TokenAnswer {
  token: string;
  access_token: string;
  expires_in: number;
  refresh_token?: string;
}

async function getToken(secret: string, query: string): Promise<TokenAnswer> {
  const answer = await registryClient(opened.registry.url, secret)("GET", `/v2/token?service=towline&${query}`);
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body.toString()) as TokenAnswer;
}

async function postToken(form: Record<string, string>): Promise<TokenAnswer> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const answer = await nobody("POST", "/v2/token", { headers, body: new URLSearchParams(form).toString() });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body.toString()) as TokenAnswer;
}

const readTag = (token: string, repository = "shop") => nobody("GET", `/v2/${repository}/manifests/v1`, bearer(token));
const beginUpload = (token: string, repository = "shop") =>
  nobody("POST", `/v2/${repository}/blobs/uploads/`, bearer(token));

describe("roles", () => {
  test.each<[Role, number, number, number]>([
    ["viewer", 200, 403, 403],
    ["analyst", 200, 403, 403],
    ["developer", 200, 202, 403],
    ["lead", 200, 202, 404],
    ["admin", 200, 202, 404],
  ])("%s: pull %i, push %i, delete %i", async (role, pull, push, remove) => {
    const as = registryClient(opened.registry.url, await userToken(opened.registry, `as-${role}`, role));
    expect((await as("GET", "/v2/shop/manifests/v1")).status).toBe(pull);
    expect((await as("POST", "/v2/shop/blobs/uploads/")).status).toBe(push);
    expect((await as("DELETE", "/v2/shop/manifests/no-such-tag")).status).toBe(remove);
  });

  test("a refusal says what was not allowed", async () => {
    const viewer = registryClient(opened.registry.url, await userToken(opened.registry, "vic", "viewer"));
    const { code, body } = await viewer("PUT", "/v2/shop/manifests/v2", { body: "{}" });
    expect(code).toBe("DENIED");
    expect(body.toString()).toContain("you may not push shop");
  });

  test("a job reaches the repositories of its grants, each with its actions, and no name that merely looks like one", async () => {
    const secret = await jobToken(opened.registry, { shop: ["pull", "push"], other: ["pull"] });
    expect((await beginUpload(secret)).status).toBe(202);
    expect((await readTag(secret, "other")).status).toBe(200);
    expect((await beginUpload(secret, "other")).status).toBe(403);
    expect((await readTag(secret, "third")).status).toBe(403);
    expect((await nobody("DELETE", "/v2/shop/manifests/v1", bearer(secret))).status).toBe(403);
    expect((await readTag(secret, "constructor")).status).toBe(403);
  });

  test("an agent's own token opens nothing", async () => {
    expect((await readTag(await opened.registry.access.issueAgentToken("a"))).status).toBe(403);
  });
});

describe("without a token", () => {
  test.each([
    ["GET", "/v2/", ""],
    ["GET", "/v2/shop/manifests/v1", ',scope="repository:shop:pull"'],
    ["HEAD", "/v2/a/b/c/blobs/" + sha256("x"), ',scope="repository:a/b/c:pull"'],
    ["POST", "/v2/shop/blobs/uploads/", ',scope="repository:shop:pull,push"'],
    ["DELETE", "/v2/shop/manifests/v1", ',scope="repository:shop:delete"'],
    ["GET", "/v2/NOT%20A%20NAME/manifests/v1", ""],
  ])("%s %s is answered with where to get one", async (method, path, scope) => {
    const { status, headers } = await nobody(method, path);
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(
      `Bearer realm="${opened.registry.url}/v2/token",service="towline"${scope}`,
    );
  });

  test("a wrong token is no token", async () => {
    const wrong = registryClient(opened.registry.url, "tw_wrong");
    expect((await wrong("GET", "/v2/")).code).toBe("UNAUTHORIZED");
    const token = await wrong("GET", "/v2/token?service=towline");
    expect([token.status, token.headers["www-authenticate"]]).toEqual([401, 'Basic realm="towline"']);
    expect((await nobody("GET", "/v2/token")).status).toBe(401);
    expect((await nobody("POST", "/v2/token", { body: "" })).status).toBe(401);
  });
});

describe("the realm", () => {
  const realm = async (url: string, host: string) => {
    const { headers } = await registryClient(url)("GET", "/v2/", { headers: { host } });
    return /realm="([^"]*)"/.exec(headers["www-authenticate"] ?? "")?.[1];
  };

  test("is the address by which the client came, when that is an address", async () => {
    const { url } = opened.registry;
    expect(await realm(url, "registry.local:7300")).toBe("http://registry.local:7300/v2/token");
    expect(await realm(url, "[::1]:7300")).toBe("http://[::1]:7300/v2/token");
    for (const host of ['evil"x', "a/b", "a b", "user@host"]) expect(await realm(url, host)).toBe(`${url}/v2/token`);
  });

  test("is the public one for those who came by it", async () => {
    const config = { publicUrl: "https://towline.example.com/" };
    await using registry = await startTestRegistry({ databaseUrl: opened.database.url, config });
    expect(await realm(registry.url, "towline.example.com")).toBe("https://towline.example.com/v2/token");
    expect(await realm(registry.url, "a/b")).toBe("https://towline.example.com/v2/token");
    expect(await realm(registry.url, registry.host)).toBe(`${registry.url}/v2/token`);
  });
});

describe("the token flow", () => {
  test("GET with Basic answers a token that opens what was asked and may be had", async () => {
    const developer = await userToken(opened.registry, "dora", "developer");
    const { token, access_token, expires_in, refresh_token } = await getToken(
      developer,
      "scope=repository:shop:pull,push,delete",
    );
    expect([access_token, expires_in, refresh_token]).toEqual([token, 300, undefined]);
    expect((await readTag(token)).status).toBe(200);
    expect((await beginUpload(token)).status).toBe(202);
    expect((await nobody("DELETE", "/v2/shop/manifests/none", bearer(token))).status).toBe(401);
    expect((await readTag(token, "other")).status).toBe(401);
  });

  test("a token that does not open enough is told so, with what to ask for", async () => {
    const { token } = await getToken(
      await userToken(opened.registry, "vera", "viewer"),
      "scope=repository:shop:pull,push",
    );
    const { status, code, headers } = await beginUpload(token);
    expect([status, code]).toEqual([401, "DENIED"]);
    expect(headers["www-authenticate"]).toContain('scope="repository:shop:pull,push",error="insufficient_scope"');
    expect(headers["www-authenticate"]).toContain('error_description="you may not push shop"');
  });

  test("two scopes at once open two repositories", async () => {
    const secret = await userToken(opened.registry, "mona", "developer");
    const digest = await pushBlob(client, "other", "of another");
    const path = `/v2/other/blobs/${digest}`;
    const one = await getToken(secret, "scope=repository:shop:pull,push");
    expect((await nobody("GET", path, bearer(one.token))).status).toBe(401);
    for (const query of [
      "scope=repository:shop:pull,push&scope=repository:other:pull",
      "scope=repository:shop:pull,push%20repository:other:pull",
    ]) {
      const { token } = await getToken(secret, query);
      expect((await nobody("GET", path, bearer(token))).status).toBe(200);
    }
  });

  test("a job mounts by digest what it may not pull, into its own repository alone", async () => {
    const digest = await pushBlob(client, "base", "layer of a base image");
    const token = await jobToken(opened.registry, { own: ["pull", "push"] });
    const job = registryClient(opened.registry.url, token);
    const mount = (repository: string) => `/v2/${repository}/blobs/uploads/?mount=${digest}&from=base`;
    expect((await job("GET", `/v2/base/blobs/${digest}`)).code).toBe("DENIED");
    expect((await job("POST", mount("own"))).status).toBe(201);
    expect((await job("POST", mount("other"))).code).toBe("DENIED");
  });

  test("login keeps a refresh token, with which POST gets more", async () => {
    const secret = await userToken(opened.registry, "lola", "developer");
    const { refresh_token = "" } = await getToken(secret, "account=lola&client_id=docker&offline_token=true");
    const refreshed = await postToken({ grant_type: "refresh_token", refresh_token, scope: "repository:shop:pull" });
    expect((await readTag(refreshed.token)).status).toBe(200);
    const form = { grant_type: "password", username: "lola", password: secret, access_type: "offline" };
    expect((await postToken(form)).refresh_token).toBe(secret);
  });

  test("an asterisk asks for all that may be had, and what is no scope is left out", async () => {
    const query = "scope=repository:shop:*&scope=registry:catalog:*&scope=repository:BAD:pull&scope=x&scope=";
    const { token } = await getToken(await userToken(opened.registry, "stella", "lead"), query);
    expect((await nobody("DELETE", "/v2/shop/manifests/none", bearer(token))).status).toBe(404);
  });

  test("a token ends, and one that was changed or signed elsewhere never begins", async () => {
    const { token } = await getToken(await userToken(opened.registry, "edna", "viewer"), "scope=repository:shop:pull");
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "admin" })).toString("base64url");
    const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const wrong of [
      `${header}.${forged}.${signature}`,
      `${unsigned}.${payload}.`,
      `${header}.${payload}.AAAA`,
      "a.b.c",
      "..",
    ]) {
      const { status } = await readTag(wrong);
      expect(status).toBe(401);
    }
    expect((await readTag(token)).status).toBe(200);
    now = new Date(now.getTime() + 301_000);
    const { status, headers } = await readTag(token);
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain('error="invalid_token"');
  });

  test("another registry's key signs nothing here", async () => {
    await using elsewhere = await startTestRegistry({ databaseUrl: opened.database.url });
    const secret = await userToken(opened.registry, "ella", "viewer");
    const answer = await registryClient(elsewhere.url, secret)("GET", "/v2/token?scope=repository:shop:pull");
    const { token } = JSON.parse(answer.body.toString()) as TokenAnswer;
    expect((await readTag(token)).status).toBe(401);
  });

  test("a form that is too large is refused", async () => {
    expect((await nobody("POST", "/v2/token", { body: "x".repeat(70_000) })).status).toBe(413);
  });

  test("a platform token works as it is too, as Basic password and as Bearer", async () => {
    const secret = await userToken(opened.registry, "petra", "viewer");
    expect((await readTag(secret)).status).toBe(200);
    expect((await nobody("GET", "/v2/", { headers: { authorization: basic(secret) } })).status).toBe(200);
  });
});
