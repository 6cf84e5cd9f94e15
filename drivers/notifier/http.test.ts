import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { createHttpNotifier, isForbidden } from "./http.ts";

async function receiver(answer: { status: number; headers?: Record<string, string> }) {
  const got: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ request, body });
      response.writeHead(answer.status, answer.headers).end("ok");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { got, port, [Symbol.dispose]: () => void server.close() };
}

test("a POST brings headers and body, and its status is told", async () => {
  using there = await receiver({ status: 202 });
  const notifier = createHttpNotifier({ allowLocal: true });
  const url = `http://localhost:${there.port}/hook?a=1`;
  expect(await notifier.post({ url, headers: { "x-towline-event": "e" }, body: "{}" })).toEqual({
    status: 202,
    body: "ok",
  });
  expect(there.got).toMatchObject([
    { body: "{}", request: { method: "POST", url: "/hook?a=1", headers: { "x-towline-event": "e" } } },
  ]);
});

test("a redirect is not followed", async () => {
  using there = await receiver({ status: 302, headers: { location: "http://127.0.0.1:1/" } });
  const notifier = createHttpNotifier({ allowLocal: true });
  const url = `http://127.0.0.1:${there.port}/`;
  expect(await notifier.post({ url, headers: {}, body: "" })).toMatchObject({ status: 302 });
});

test("this machine is not asked, by whatever name", async () => {
  using there = await receiver({ status: 200 });
  const notifier = createHttpNotifier();
  const names = ["localhost", "127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433"];
  for (const name of names) {
    const url = `http://${name}:${there.port}/`;
    await expect(notifier.post({ url, headers: {}, body: "" }), name).rejects.toThrow(/this machine|link-local/);
  }
  expect(there.got).toEqual([]);
});

test("a private network is reached only by who may, and this machine by who names it", async () => {
  using there = await receiver({ status: 200 });
  const notifier = createHttpNotifier();
  const post = { headers: {}, body: "", url: `http://127.0.0.1:${there.port}/` };
  await expect(notifier.post({ ...post, reach: "public" })).rejects.toThrow("private network");
  await expect(notifier.post({ ...post, reach: "network" })).rejects.toThrow("this machine");
  expect(await notifier.post({ ...post, reach: "anywhere" })).toMatchObject({ status: 200 });
  const inside = ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"];
  expect(inside.map((each) => isForbidden(each, "public"))).toEqual(inside.map(() => true));
  expect(["172.32.0.1", "192.0.2.1", "2001:db8::1"].some((each) => isForbidden(each, "public"))).toBe(false);
});

test("of a long answer the beginning is kept", async () => {
  const server = createServer((_, response) => response.end("x".repeat(1_000_000)));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const notifier = createHttpNotifier({ allowLocal: true });
  const { body } = await notifier.post({ url: `http://127.0.0.1:${port}/`, headers: {}, body: "" });
  expect(body).toBe("x".repeat(4096));
  server.closeAllConnections();
  server.close();
});

test.each([
  ["169.254.169.254", true],
  ["fe80::1", true],
  ["::ffff:169.254.169.254", true],
  ["::", true],
  ["not an address", true],
  ["10.0.0.1", false],
  ["192.0.2.1", false],
  ["2001:db8::1", false],
])("%s is forbidden: %s", (address, expected) => {
  expect(isForbidden(address)).toBe(expected);
});
