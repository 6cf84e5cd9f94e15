/** Requests that wait in the balancer, and tunnels through it. */
import { createHash } from "node:crypto";
import { request } from "node:http";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BedInstance, createTestBed, type TestBed } from "#testing/balancer-bed.ts";
import { until } from "#testing/until.ts";
import { type Balancer, emptySlot, type Route, type Slot } from "../contract.ts";

/** Of RFC 6455. */
const webSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

describe("HAProxy with requests and tunnels that last", () => {
  let bed: TestBed;
  let balancer: Balancer;
  beforeAll(async () => {
    bed = await createTestBed();
    balancer = bed.balancer;
  });
  afterAll(async () => await bed?.[Symbol.asyncDispose]());

  const host = "shop.localhost";
  const ready = ({ address }: BedInstance): Slot => ({ address, state: "ready", weight: 100 });
  const route = (slots: readonly Slot[], more: Partial<Route> = {}): Route => ({
    ...{ id: "shop", hosts: [host], network: bed.network, healthPath: "/health", slots },
    ...more,
  });
  const serving = async (instance: BedInstance) => {
    await balancer.apply({ routes: [route([ready(instance), emptySlot])] });
    await until(async () => (await balancer.health([{ route: "shop", position: 0 }]))[0]?.health === "up");
  };

  test("a paused route holds what comes, POST too, and lets all of it go on when it opens, to whom then serves", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    await serving(a);
    await balancer.apply({ routes: [route([ready(a), emptySlot], { mode: "paused" })] });
    const answers: string[] = [];
    const held = Array.from({ length: 10 }, async (_, at) => {
      const { status, body } = await bed.get(host, { method: at % 2 === 0 ? "GET" : "POST" });
      answers.push(`${status} ${body}`);
    });
    await balancer.apply({ routes: [route([ready(b), emptySlot], { mode: "paused" })] });
    await until(async () => (await balancer.health([{ route: "shop", position: 0 }]))[0]?.health === "up");
    expect(answers).toEqual([]);
    await balancer.apply({ routes: [route([ready(b), emptySlot])] });
    await Promise.all(held);
    expect(answers).toEqual(Array.from({ length: 10 }, () => "200 b"));
  });

  test("requests that are held go on also when the balancer was reloaded meanwhile", async () => {
    const a = await bed.instance("a");
    await serving(a);
    await balancer.apply({ routes: [route([ready(a), emptySlot], { mode: "paused" })] });
    const held = bed.get(host);
    const other = route([emptySlot], { id: "other", hosts: ["other.localhost"] });
    await balancer.apply({ routes: [route([ready(a), emptySlot], { mode: "paused" }), other] });
    await balancer.apply({ routes: [route([ready(a), emptySlot]), other] });
    expect(await held).toMatchObject({ status: 200, body: "a" });
  });

  test("the page of maintenance says when to come again", async () => {
    const a = await bed.instance("a");
    await serving(a);
    await balancer.apply({ routes: [route([ready(a), emptySlot], { mode: "maintenance" })] });
    const { status, headers, body } = await bed.get(host);
    expect({ status, retry: headers["retry-after"] }).toEqual({ status: 503, retry: "60" });
    expect(body).toContain("<h1>Maintenance</h1>");
  });

  test("a WebSocket is a session until it ends: it lives on while its slot drains, and is seen to end", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    a.server.on("upgrade", ({ headers }, socket: Duplex) => {
      const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}${webSocketGuid}`).digest("base64");
      const lines = ["Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Accept: ${accept}`];
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      socket.on("end", () => socket.end());
      socket.on("data", (text: Buffer) => void socket.write(`a ${text.toString()}`));
    });
    await serving(a);
    const socket = await upgraded(bed.url, host);
    expect(await balancer.sessions("shop", 0)).toBe(1);
    await balancer.setSlots([{ route: "shop", position: 1, slot: ready(b) }]);
    await until(async () => (await balancer.health([{ route: "shop", position: 1 }]))[0]?.health === "up");
    await balancer.setSlots([{ route: "shop", position: 0, slot: { ...ready(a), state: "drain" } }]);
    const answer = new Promise<string>((resolve) => socket.once("data", (text: Buffer) => resolve(text.toString())));
    socket.write("still there?");
    expect(await answer).toBe("a still there?");
    expect(await bed.request(host)).toBe("b");
    expect(await balancer.sessions("shop", 0)).toBe(1);
    socket.destroy();
    await until(async () => (await balancer.sessions("shop", 0)) === 0);
  });
});

function upgraded(url: string, host: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const headers = {
    host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  request(url, { headers })
    .on("upgrade", (_, socket: Duplex) => resolve(socket))
    .on("response", ({ statusCode }) => reject(new Error(`${statusCode} in place of an upgrade`)))
    .on("error", reject)
    .end();
  return promise;
}
