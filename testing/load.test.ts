import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startLoad } from "./load.ts";

async function served(answer: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const get = [{ name: "get", method: "GET", path: "/", keepAlive: false }] as const;

test("requests are offered at their rate, of every kind, and all are accounted for", async () => {
  const seen = new Set<string>();
  await using server = await served((asked, answer) => {
    seen.add(`${asked.method} ${asked.headers.connection}`);
    asked.resume().on("end", () => answer.end("ok"));
  });
  await using load = startLoad({ url: server.url, rate: 200 });
  await sleep(500);
  const report = await load.stop();
  expect(report).toMatchObject({ ok: report.offered, failed: 0, cut: 0, open: 0, reasons: {} });
  expect(report.offered).toBeGreaterThan(60);
  expect(report.p95).toBeGreaterThanOrEqual(report.p50);
  expect(seen).toEqual(new Set(["GET keep-alive", "GET close", "POST keep-alive", "POST close"]));
});

test("refusals, answers that break off and answers that are disliked are counted with their reasons", async () => {
  let count = 0;
  await using server = await served((_, answer) => {
    const turn = count++ % 4;
    if (turn === 0) answer.writeHead(503).end();
    else if (turn === 1) answer.socket?.destroy();
    else if (turn === 2) answer.writeHead(200, { "content-length": 10 }).write("half", () => answer.socket?.destroy());
    else answer.end("wrong");
  });
  const onAnswer = ({ body }: { body: string }) => (body === "wrong" ? "disliked" : undefined);
  await using load = startLoad({ url: server.url, rate: 200, kinds: get, onAnswer });
  await sleep(300);
  const { offered, ok, failed, cut, reasons } = await load.stop();
  expect(ok).toBe(0);
  expect(failed + cut).toBe(offered);
  expect(Object.keys(reasons).toSorted()).toEqual(["get: ECONNRESET", "get: disliked", "get: status 503"]);
  expect(cut).toBeGreaterThan(0);
});

test("a server that does not answer fails by timeout, and the load goes on meanwhile", async () => {
  await using server = await served(() => undefined);
  await using load = startLoad({ url: server.url, rate: 100, kinds: get, timeoutMs: 200 });
  await sleep(500);
  expect(load.report().open).toBeGreaterThan(5);
  const { offered, reasons } = await load.stop();
  expect(reasons).toEqual({ "get: timeout": offered });
});
