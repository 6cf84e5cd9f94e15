import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Agent, request as ask } from "undici";
import { bytesOf } from "./request-bytes.ts";

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

const content = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, index) => index).buffer);

describe("the bytes of a request", () => {
  test("come whole to a slow reader, and each chunk's memory is given back when the next is asked for", async () => {
    let [largest, kept] = [0, 0];
    await using server = await serve(async (request, response) => {
      const [copies, chunks] = [[] as Buffer[], [] as Uint8Array[]];
      for await (const chunk of bytesOf(request)) {
        await turn();
        copies.push(Buffer.from(chunk));
        chunks.push(chunk);
        largest = Math.max(largest, ...chunks.slice(0, -1).map(({ length }) => length));
      }
      kept = chunks.reduce((sum, { length }) => sum + length, 0);
      response.end(Buffer.concat(copies));
    });
    const answer = await ask(server.url, { method: "PUT", body: content });
    expect(Buffer.from(await answer.body.arrayBuffer()).equals(content)).toBe(true);
    expect([largest, kept]).toEqual([0, 0]);
  });

  test("are none where there is no body, or where it was read before", async () => {
    const chunks: Uint8Array[] = [];
    await using server = await serve(async (request, response) => {
      for (const _ of [1, 2]) for await (const chunk of bytesOf(request)) chunks.push(chunk);
      response.end();
    });
    await (await ask(server.url)).body.dump();
    expect(chunks).toEqual([]);
  });

  test("end with an error when the client goes away midway, also when that was before anybody read", async () => {
    for (const isLate of [false, true]) {
      const failed = Promise.withResolvers<unknown>();
      await using server = await serve(async (request) => {
        if (isLate) await new Promise((resolve) => request.once("close", resolve));
        try {
          for await (const _ of bytesOf(request)) if (!isLate) client.destroy();
          failed.resolve("ended");
        } catch (error) {
          failed.resolve(error);
        }
      });
      const client = httpRequest(server.url, { method: "PUT", headers: { "content-length": content.length } });
      client.on("error", () => undefined);
      client.write(content.subarray(0, 1_000), () => isLate && client.destroy());
      expect(await failed.promise).toBeInstanceOf(Error);
    }
  });

  test("may be left midway: the reason arrives, and the connection serves again", async () => {
    await using server = await serve(async (request, response) => {
      for await (const _ of bytesOf(request)) break;
      response.end(String(request.socket.remotePort));
      request.resume();
    });
    await using agent = {
      dispatcher: new Agent({ connections: 1 }),
      [Symbol.asyncDispose]: () => agent.dispatcher.close(),
    };
    const ports = new Set<string>();
    for (const _ of [1, 2]) {
      const { dispatcher } = agent;
      const answer = await ask(server.url, { method: "PUT", body: content, dispatcher });
      ports.add(await answer.body.text());
    }
    expect(ports.size).toBe(1);
  });
});
