import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connectEngine, type Engine } from "./engine.ts";

interface FakeEngine extends AsyncDisposable {
  engine: Engine;
}

async function fakeEngine(answer: RequestListener): Promise<FakeEngine> {
  const folder = await mkdtemp(join(tmpdir(), "towline-engine-"));
  const socketPath = join(folder, "engine.sock");
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    engine: connectEngine({ socketPath }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

const get = { method: "GET", path: "/things" } as const;
const limits = { deadlineMs: 5_000 };

describe("a call to the engine", () => {
  test("gives the JSON of the answer, and sends query and body", async () => {
    await using fake = await fakeEngine((asked, answer) => {
      let body = "";
      asked.on("data", (chunk: Buffer) => (body += chunk.toString()));
      asked.on("end", () => answer.end(JSON.stringify({ url: asked.url, body })));
    });
    const request = { method: "POST", path: "/things", query: { a: 1, b: undefined }, body: { c: [2] } } as const;
    const { url, body } = await fake.engine.json<{ url: string; body: string }>(request, limits);
    expect(url).toMatch(/^\/things\?a=1/);
    expect(JSON.parse(body)).toEqual({ c: [2] });
  });

  test("gives nothing for an answer without body", async () => {
    await using fake = await fakeEngine((_, answer) => answer.writeHead(204).end());
    expect(await fake.engine.json(get, limits)).toBeUndefined();
  });

  test("tells the engine's own sentence and status", async () => {
    await using fake = await fakeEngine((_, answer) => answer.writeHead(409).end('{"message":"it is taken - twice"}'));
    const failure = { reason: "status", status: 409, message: "it is taken - twice" };
    await expect(fake.engine.json(get, limits)).rejects.toMatchObject(failure);
  });

  test("ends at its deadline and with its signal, also in the middle of an answer", async () => {
    await using fake = await fakeEngine((asked, answer) => {
      if (asked.url?.startsWith("/begun")) answer.writeHead(200).write("{");
    });
    await expect(fake.engine.json(get, { deadlineMs: 50 })).rejects.toMatchObject({ reason: "deadline" });
    const begun = { method: "GET", path: "/begun" } as const;
    await expect(fake.engine.json(begun, { deadlineMs: 50 })).rejects.toMatchObject({ reason: "deadline" });
    const signal = AbortSignal.timeout(50);
    await expect(fake.engine.json(begun, { ...limits, signal })).rejects.toMatchObject({ reason: "aborted" });
  });

  test("gives values one by one, however the answer is cut", async () => {
    await using fake = await fakeEngine((_, answer) => {
      for (const part of ['{"a"', ":1}\n", '{"a":2}\r\n{"a', '":3}']) answer.write(part);
      answer.end();
    });
    const seen: unknown[] = [];
    for await (const value of fake.engine.lines(get, limits)) seen.push(value);
    expect(seen).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  test("says when nobody is there", async () => {
    const engine = connectEngine({ socketPath: "/nowhere/engine.sock" });
    await expect(engine.json(get, limits)).rejects.toMatchObject({ reason: "unreachable" });
  });

  test("is not sent for a path that leads elsewhere", async () => {
    const engine = connectEngine({ socketPath: "/nowhere/engine.sock" });
    for (const path of ["/a/../b", "/a//b", "/a/.."])
      await expect(engine.json({ method: "GET", path }, limits)).rejects.toMatchObject({ status: 400 });
  });
});
