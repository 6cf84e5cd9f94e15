/** How it asks registries that behave as the worst of them do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createHttpUpstream } from "./http.ts";

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const wanted = { repository: "library/alpine", reference: "3" };
const credentials = { username: "me", password: "secret" };
const upstream = createHttpUpstream();

test("a challenge is answered once, and its token is used until it ends", async () => {
  const seen: string[] = [];
  await using server = await serve(({ url = "", headers }, response) => {
    seen.push(`${url.split("?")[0]} ${headers.authorization ?? "-"}`);
    if (url.startsWith("/token")) {
      expect(new URL(url, "http://x").searchParams.get("scope")).toBe("repository:library/alpine:pull");
      return void response.end(JSON.stringify({ token: "abc", expires_in: 60 }));
    }
    if (headers.authorization === "Bearer abc") return void response.end("{}");
    const challenge = `Bearer realm="http://${headers.host}/token",service="s",scope="other"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  await upstream.manifest({ url: server.url, ...credentials }, wanted);
  await upstream.manifest({ url: server.url, ...credentials }, wanted);
  const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
  const path = "/v2/library/alpine/manifests/3";
  expect(seen).toEqual([`${path} -`, `/token ${basic}`, `${path} Bearer abc`, `${path} Bearer abc`]);
});

test("credentials are not sent to another host that is not https, nor along a redirection", async () => {
  const heard: (string | undefined)[] = [];
  await using other = await serve(({ headers }, response) => {
    heard.push(headers.authorization);
    response.end("blob");
  });
  await using server = await serve(({ url = "", headers }, response) => {
    if (url.includes("/blobs/") && headers.authorization) {
      const elsewhere = other.url.replace("127.0.0.1", "localhost");
      return void response.writeHead(307, { location: `${elsewhere}/blob` }).end();
    }
    const challenge = url.includes("/blobs/") ? "Basic realm=x" : `Bearer realm="${other.url}/token"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  const at = { url: server.url, ...credentials };
  await expect(upstream.manifest(at, wanted)).rejects.toMatchObject({ code: "wrong" });
  expect(heard).toEqual([]);
  const { source } = await upstream.blob(at, wanted);
  expect(Buffer.concat(await Array.fromAsync(source)).toString()).toBe("blob");
  expect(heard).toEqual([undefined]);
});

test.each([
  [404, "missing"],
  [401, "refused"],
  [403, "refused"],
  [429, "away"],
  [503, "away"],
  [418, "wrong"],
])("an answer of %i means %s", async (status, code) => {
  await using server = await serve((_, response) => void response.writeHead(status).end());
  await expect(upstream.manifest({ url: server.url }, wanted)).rejects.toMatchObject({ code });
});

test("who does not answer, stops midway, or is not there is away; an endless manifest is wrong", async () => {
  await using silent = await serve(() => undefined);
  const hasty = createHttpUpstream({ answerMs: 300 });
  await expect(hasty.manifest({ url: silent.url }, wanted)).rejects.toMatchObject({ code: "away" });
  await expect(upstream.manifest({ url: "http://127.0.0.1:1" }, wanted)).rejects.toMatchObject({ code: "away" });
  await using stuck = await serve((_, response) => void response.writeHead(200, { "content-length": 9 }).write("four"));
  const { source } = await createHttpUpstream({ idleMs: 300 }).blob({ url: stuck.url }, wanted);
  await expect(Array.fromAsync(source)).rejects.toMatchObject({ code: "away" });
  await using endless = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", more);
    more();
  });
  await expect(upstream.manifest({ url: endless.url }, wanted)).rejects.toMatchObject({ code: "wrong" });
});
