import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request as rawRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { publication } from "#testing/broker.ts";
import { countPeakAnew, peakMiB } from "#testing/memory.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { pushBlob, registryClient, type RegistryClient, sha256 } from "#testing/registry.ts";
import { until } from "#testing/until.ts";
import { checkoutOf } from "../../support/checkout.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { leftoversOf } from "../../support/leftovers.ts";
import { newPerson, type Person } from "../../support/people.ts";
import { probeService, type Service } from "../../support/service.ts";

const run = promisify(execFile);
const wrong = `tw_${"x".repeat(43)}`;

let platform: Platform;
let service: Service;
let terminal: CommandLine;
let viewer: Person;
let registry: RegistryClient;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url });
  viewer = await newPerson(platform, "vera", "viewer");
  registry = registryClient(platform.url, platform.adminToken);
  service = await probeService(platform, "probe");
  await service.ship("1");
});

afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

describe("a wrong token", () => {
  test("is named by every command, with what to do", async () => {
    const said = await terminal.run("status", "--token", wrong, "--json");
    expect(said.code).toBe(2);
    expect(said.json()).toMatchObject({ error: { code: "auth.bad-token" } });
    expect(said.stderr).toContain("[auth.bad-token]");
    const none = await terminal.run("status");
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/needs a token.*\[auth\.required\]/);
    expect(none.stderr).toContain("towline login");
  });

  test("is named by Git, and so is a role that may not push", async () => {
    const clone = (token: string) => {
      const url = new URL(`${platform.url}/git/probe.git`);
      Object.assign(url, { username: "dev", password: token });
      return failure(run("git", ["ls-remote", url.href], { env: { ...process.env, GIT_TERMINAL_PROMPT: "0" } }));
    };
    expect(await clone(wrong)).toMatch(/remote: towline: .*\(auth\.bad-token\)/);
    await using theirs = await checkoutOf("probe", { url: platform.url, token: viewer.token, repository: "probe" });
    const refused = await failure(theirs.push("Mine", "mine"));
    expect(refused).toMatch(/remote: towline: pushing needs one of the roles .*; yours is viewer \(auth\.forbidden\)/);
  });

  test("is named by Docker, and so is a role that may not push", async () => {
    const { host } = new URL(platform.url);
    const folder = await mkdtemp(join(tmpdir(), "towline-docker-config-"));
    const docker = (...args: string[]) => run("docker", args, { env: { ...process.env, DOCKER_CONFIG: folder } });
    try {
      const login = (token: string) => docker("login", "--username", "any", "--password", token, host);
      expect(await failure(login(wrong))).toMatch(/unauthorized: .*token/i);
      await login(viewer.token);
      const [image = ""] = (
        await docker("images", "--format", "{{.Repository}}:{{.Tag}}", `${host}/probe`)
      ).stdout.split("\n");
      expect(await failure(docker("push", image))).toMatch(/denied|unauthorized|not authorized/i);
      await docker("pull", "--quiet", image);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a push that must not be", () => {
  test("leaves every ref as it was: deletion and forced push of main, names and places that are no branch", async () => {
    const { checkout } = service;
    const before = await checkout.git("ls-remote", "origin");
    const push = (...args: string[]) => failure(checkout.git("push", ...args));
    expect(await push("origin", ":refs/heads/main")).toContain("deletion of the current branch prohibited");
    await checkout.git("checkout", "--quiet", "--orphan", "other");
    await checkout.git("commit", "--quiet", "--message", "Another history");
    expect(await push("--force", "origin", "HEAD:refs/heads/main")).toContain("would take commits away from main");
    expect(await push("origin", "HEAD:refs/heads/a$(id)b")).toContain("is not taken as a name");
    expect(await push("origin", "HEAD:refs/towline/x")).toContain("neither a branch nor a tag");
    expect(await rawPush("refs/heads/../../../escaped")).toContain("funny refname");
    expect(await rawPush("refs/heads/half", "1".repeat(40))).toMatch(/ng refs\/heads\/half /);
    await checkout.git("checkout", "--quiet", "--force", "main");
    expect(await checkout.git("ls-remote", "origin")).toBe(before);
  });

  test("to main of a repository that asks for pull requests is refused with the commands that help", async () => {
    orThrow(
      await platform.client.changeRepository({ params: { repository: "probe" }, body: { allowDirectPush: false } }),
    );
    const refused = await failure(service.push("sneaked in"));
    expect(refused).toContain("main takes changes by pull request only");
    expect(refused).toContain("git push origin HEAD:refs/heads/my-change");
    expect(refused).toContain("towline pr open probe my-change");
    await service.checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/my-change");
    const opened = await terminal.run("pr", "open", "probe", "my-change", "--token", platform.adminToken);
    expect(opened.code, opened.stderr).toBe(0);
    await service.checkout.git("reset", "--quiet", "--hard", "origin/main");
    orThrow(
      await platform.client.changeRepository({ params: { repository: "probe" }, body: { allowDirectPush: true } }),
    );
  });

  test("breaks off in the middle: nothing of it stays", async () => {
    const length = 1_000_000;
    await cutOff("POST", "/git/probe.git/git-receive-pack", {
      "content-type": "application/x-git-receive-pack-request",
      "content-length": String(length),
    });
    await until(async () => (await leftoversOf(platform)).length === 0);
  });
});

describe("a body", () => {
  test.each([
    ["over the limit", JSON.stringify({ name: "x".repeat(2_000_000) }), 413, "request.too-large"],
    ["that is no JSON", "{name:", 400, "request.invalid"],
    ["with a key that nobody reads", JSON.stringify({ name: "fine", allowDirctPush: true }), 400, "request.invalid"],
    ["with a name that leads elsewhere", JSON.stringify({ name: "../x" }), 400, "request.invalid"],
  ])("%s is refused with a code", async (_, body, status, code) => {
    const answer = await fetch(`${platform.url}/api/repositories`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.adminToken}`, "content-type": "application/json" },
      body,
    });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test("of unknown length is cut at the limit too", async () => {
    const sent = rawRequest(new URL("/api/repositories", platform.url), {
      method: "POST",
      headers: { authorization: `Bearer ${platform.adminToken}`, "content-type": "application/json" },
    });
    const { promise: status, resolve, reject } = Promise.withResolvers<number>();
    sent.on("response", (answer) => resolve(answer.resume().statusCode ?? 0)).on("error", reject);
    // More than the limit, and no end.
    sent.write(Buffer.alloc(2_000_000, " "));
    expect(await status).toBe(413);
    sent.destroy();
  });
});

describe("an upload to the registry", () => {
  test("with a wrong digest is refused and leaves nothing", async () => {
    const digest = sha256("something else");
    const whole = await registry("POST", `/v2/probe/blobs/uploads/?digest=${digest}`, { body: "content" });
    expect(whole).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    const begun = await registry("POST", "/v2/probe/blobs/uploads/");
    const last = await registry("PUT", `${begun.headers["location"]}?digest=${digest}`, { body: "content" });
    expect(last).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect((await registry("HEAD", `/v2/probe/blobs/${digest}`)).status).toBe(404);
    expect(await leftoversOf(platform)).toEqual([]);
  });

  test.each([0, 1_000_000])("that breaks off after %i bytes goes on where it stopped", async (sent) => {
    const content = Buffer.alloc(3_000_000, "towline ");
    const begun = await registry("POST", "/v2/probe/blobs/uploads/");
    const { location = "" } = begun.headers;
    const headers = { authorization: `Bearer ${platform.adminToken}`, "content-length": String(content.length) };
    await cutOff("PATCH", location, headers, content.subarray(0, sent));
    const goOn = async () => {
      const held = await registry("GET", location);
      const last = Number(held.headers["range"]?.split("-")[1]);
      // Nothing is told as 0-0 too: https://distribution.github.io/distribution/spec/api/#starting-an-upload
      const from = last === 0 ? 0 : last + 1;
      expect(from).toBeLessThanOrEqual(sent);
      const body = content.subarray(from);
      const range = { "content-range": `${from}-${content.length - 1}` };
      return registry("PUT", `${location}?digest=${sha256(content)}`, { body, headers: range });
    };
    let rest = await goOn();
    // What was under way when the connection broke may arrive after the question; the range then does not fit, and it is asked again.
    while (rest.status === 416) rest = await goOn();
    expect(rest.status, rest.body.toString()).toBe(201);
    expect((await registry("GET", `/v2/probe/blobs/${sha256(content)}`)).body.equals(content)).toBe(true);
    expect(await leftoversOf(platform)).toEqual([]);
  });

  test("of a manifest without its layers is refused", async () => {
    const config = await pushBlob(registry, "probe", "{}");
    const part = (digest: string) => ({ mediaType: "application/octet-stream", digest, size: 2 });
    const type = "application/vnd.oci.image.manifest.v1+json";
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: part(config),
      layers: [part(sha256("gone"))],
    });
    const answer = await registry("PUT", "/v2/probe/manifests/broken", { headers: { "content-type": type }, body });
    expect(answer).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
    expect((await registry("GET", "/v2/probe/manifests/broken")).status).toBe(404);
  });
});

describe("a pact", () => {
  const MiB = 1024 * 1024;
  const publish = "/pact/contracts/publish";
  const put = "/pact/pacts/provider/stock/consumer/shop/version/1";
  const within = (content: Buffer) => {
    const given = publication({ consumer: "shop", version: "1", provider: "stock" });
    const contracts = given.contracts.map((each) => ({ ...each, content: content.toString("base64") }));
    return Buffer.from(JSON.stringify({ ...given, contracts }));
  };
  const many = Array.from({ length: 150_000 }, (_, index) => ({ description: `${index}`, request: { path: "/" } }));
  const misnamed = Buffer.from(JSON.stringify({ consumer: { name: "other" }, interactions: many }));
  const faulty: [string, SentPact, number, RegExp][] = [
    ["of 20 MB", { path: publish, body: Buffer.alloc(20 * MiB, "a") }, 413, /larger than the 16777216 bytes/],
    ["of JSON that nests without end", { path: publish, body: Buffer.alloc(15 * MiB, "[") }, 400, /deeper than 100/],
    ["with such a content", { path: publish, body: within(Buffer.alloc(11 * MiB, "[")) }, 400, /deeper than 100/],
    ["in no encoding", { path: publish, body: Buffer.alloc(15 * MiB, 0xff) }, 400, /no UTF-8/],
    ["with a content in no encoding", { path: publish, body: within(Buffer.alloc(11 * MiB, 0xff)) }, 400, /no UTF-8/],
    ["cut off", { path: publish, body: within(misnamed).subarray(0, -100) }, 400, /not valid JSON/],
    ["under another name", { path: put, method: "PUT", body: misnamed }, 400, /does not match/],
  ];

  test.each(faulty)("%s is refused with the reason", async (_, sent, status, reason) => {
    expect(await sendPact(sent)).toEqual({ status, said: expect.stringMatching(reason) as string });
  });

  test("by nobody, or by somebody who may not, is not even read", async () => {
    const body = Buffer.alloc(15 * MiB, "a");
    expect(await sendPact({ path: publish, body, token: wrong })).toMatchObject({ status: 401 });
    expect(await sendPact({ path: publish, body, token: viewer.token })).toMatchObject({ status: 403 });
  });

  test("comes many times at once: the memory stays flat, and a good one passes beside them", async () => {
    const before = await countPeakAnew(platform.server.pid);
    const good = sendPact({ path: publish, body: within(Buffer.from('{"interactions":[]}')) });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => faulty).flatMap((all) =>
        all.map(async ([name, sent, status]) => ({ name, status, got: (await sendPact(sent)).status })),
      ),
    );
    expect(answers.filter(({ status, got }) => status !== got)).toEqual([]);
    expect(await good).toMatchObject({ status: 200 });
    const more = (await peakMiB(platform.server.pid)) - before;
    process.stderr.write(`  ${Math.round(more)} MiB more at the most\n`);
    // Their bytes alone would be more.
    expect(more).toBeLessThan(400);
  });
});

interface SentPact {
  path: string;
  method?: string;
  body: Buffer;
  token?: string;
}

async function sendPact({ path, method = "POST", body, token }: SentPact): Promise<{ status: number; said: string }> {
  const headers = { authorization: `Bearer ${token ?? platform.adminToken}`, "content-type": "application/json" };
  const answer = await fetch(`${platform.url}${path}`, { method, headers, body: new Uint8Array(body) });
  return { status: answer.status, said: await answer.text() };
}

test("a path that tries to leave its folder finds nothing there", async () => {
  const places = ["repositories", "blobs", "secrets"].map((name) => join(platform.home, name));
  const before = await Promise.all(places.map((place) => readdir(place)));
  for (const path of [
    "/git/..%2fsecrets.git/info/refs?service=git-upload-pack",
    "/git/%2e%2e/secrets/master-key",
    "/git/probe.git/../../secrets/master-key",
    "/git/probe.git%00/info/refs?service=git-upload-pack",
    "/v2/../../secrets/manifests/latest",
    "/v2/..%2f..%2fsecrets/blobs/sha256:00",
    `/v2/probe/blobs/sha256:${"..%2f".repeat(12)}aaaa`,
    "/v2/probe/blobs/uploads/..%2f..%2fsecrets",
    "/api/services/..%2f/releases",
    "/api/jobs/..%2f..%2fsecrets/log",
  ]) {
    const status = await statusOf(path);
    expect({ path, refused: status >= 400 && status < 500 }, String(status)).toEqual({ path, refused: true });
  }
  expect(await Promise.all(places.map((place) => readdir(place)))).toEqual(before);
});

test("afterwards a good push passes", async () => {
  await service.ship("2");
  expect(await service.ask()).toBe("200 2");
  await until(async () => (await leftoversOf(platform)).length === 0);
});

/** What a command said that must fail. */
async function failure(command: Promise<unknown>): Promise<string> {
  const error: unknown = await command.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("this should have failed");
  return error.message;
}

/** A push without Git's own care: of a ref by any name, to any revision (where none is told: that of main), with an empty pack. */
async function rawPush(ref: string, revision?: string): Promise<string> {
  const to = revision ?? (await service.checkout.git("rev-parse", "origin/main"));
  const line = `${"0".repeat(40)} ${to} ${ref}\0report-status\n`;
  const emptyPack = Buffer.from("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e", "hex");
  const head = (line.length + 4).toString(16).padStart(4, "0");
  const answer = await fetch(`${platform.url}/git/probe.git/git-receive-pack`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${platform.adminToken}`,
      "content-type": "application/x-git-receive-pack-request",
    },
    body: Buffer.concat([Buffer.from(`${head}${line}0000`), emptyPack]),
  });
  return answer.text();
}

/** Sends less than was announced, and goes. */
async function cutOff(
  method: string,
  path: string,
  headers: Record<string, string>,
  part = Buffer.alloc(1_000, "x"),
): Promise<void> {
  const sent = rawRequest(new URL(path, platform.url), {
    method,
    headers: { authorization: `Bearer ${platform.adminToken}`, ...headers },
  });
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  sent.on("error", () => {}).on("close", resolve);
  sent.flushHeaders();
  if (part.length > 0) await new Promise((written) => sent.write(part, written));
  sent.destroy();
  await gone;
}

/** Status of a GET whose path goes out exactly as written. */
async function statusOf(path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const { hostname, port } = new URL(platform.url);
  rawRequest({ hostname, port, path, headers: { authorization: `Bearer ${platform.adminToken}` } })
    .on("response", (answer) => resolve(answer.resume().statusCode ?? 0))
    .on("error", reject)
    .end();
  return promise;
}
