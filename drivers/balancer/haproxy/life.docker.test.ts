/** What is HAProxy's own: its errors, its restarts, what it tells instances and clients. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BedInstance, createTestBed, type TestBed } from "#testing/balancer-bed.ts";
import { until } from "#testing/until.ts";
import { type Balancer, emptySlot, type Route, type Slot } from "../contract.ts";
import { createHaproxyBalancer } from "./balancer.ts";
import { createMaster } from "./master.ts";

const limits = { deadlineMs: 30_000 };

describe("HAProxy in its container", () => {
  let bed: TestBed;
  let balancer: Balancer;
  beforeAll(async () => {
    bed = await createTestBed();
    balancer = bed.balancer;
  });
  afterAll(async () => await bed?.[Symbol.asyncDispose]());

  const host = "shop.localhost";
  const route = (slots: readonly Slot[]): Route => ({
    id: "shop",
    hosts: [host],
    network: bed.network,
    healthPath: "/health",
    slots,
  });
  const ready = ({ address }: BedInstance): Slot => ({ address, state: "ready", weight: 100 });
  const serving = async (...instances: BedInstance[]) => {
    const config = { routes: [route([...instances.map(ready), emptySlot])] };
    await balancer.apply(config);
    for (const slot of instances.keys()) await isUp(slot);
    return config;
  };
  const isUp = (slot: number) =>
    until(async () => (await balancer.health([{ route: "shop", position: slot }]))[0]?.health === "up");
  const process = () =>
    createMaster(join(bed.options.directory, "master.sock")).processes(AbortSignal.timeout(limits.deadlineMs));
  const post = (path: string, body: Record<string, unknown> = {}) =>
    bed.engine.json<{ Id: string }>({ method: "POST", path, body }, limits);
  const execute = async (...Cmd: string[]) => {
    const { Id } = await post(`/containers/${bed.container}/exec`, { Cmd });
    await post(`/exec/${Id}/start`, { Detach: true });
    return Id;
  };
  const restarts = async () => {
    const path = `/containers/${bed.container}/json`;
    return (await bed.engine.json<{ RestartCount: number }>({ method: "GET", path }, limits)).RestartCount;
  };
  /** Kills all processes but the first one, which ends when it has none left; returns when the engine has started the container again. */
  const kill = async () => {
    const before = await restarts();
    await execute("sh", "-c", "kill -9 -1");
    await until(async () => (await restarts()) > before);
  };

  const exitCode = async (execution: string) => {
    const path = `/exec/${execution}/json`;
    const { Running, ExitCode } = await bed.engine.json<{ Running: boolean; ExitCode: number | null }>(
      { method: "GET", path },
      limits,
    );
    return Running ? undefined : ExitCode;
  };

  test("an unknown host name is answered 404 and a service without instances 503, both as JSON with the request's id", async () => {
    await balancer.apply({ routes: [route([emptySlot])] });
    const unknown = await bed.get("nowhere.localhost");
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.body).error).toMatchObject({ code: "route.unknown" });
    const empty = await bed.get(`${host.toUpperCase()}:8080`, { headers: { "x-request-id": "mine-1" } });
    expect(empty.status).toBe(503);
    expect(empty.headers).toMatchObject({ "content-type": "application/json", "x-request-id": "mine-1" });
    expect(JSON.parse(empty.body).error).toMatchObject({ code: "route.unavailable", requestId: "mine-1" });
    const strange = await bed.get(host, { headers: { "x-request-id": 'a"b' } });
    expect(strange.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("an instance learns who asks and by which id, over a connection of its own for each request", async () => {
    const a = await bed.instance("a");
    const seen: Record<string, string | string[] | undefined>[] = [];
    a.server.prependListener("request", ({ url, headers }) => void (url === "/" && seen.push(headers)));
    await serving(a);
    await bed.get(host);
    expect(seen[0]).toMatchObject({ host, "x-forwarded-proto": "http", connection: "close" });
    expect(seen[0]?.["x-forwarded-for"]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(seen[0]?.["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("an instance that breaks off is counted and answered 502", async () => {
    const a = await bed.instance("a");
    await serving(a);
    const before = await balancer.stats("shop");
    a.server.prependListener("request", ({ url, socket }) => void (url === "/" && socket.destroy()));
    expect((await bed.get(host)).status).toBe(502);
    // HAProxy counts an answer when it has gone out.
    await until(async () => (await balancer.stats("shop")).serverErrors > before.serverErrors);
    const after = await balancer.stats("shop");
    expect(after.serverErrors - before.serverErrors).toBe(1);
    expect(after.slots[0]!.connectionErrors - before.slots[0]!.connectionErrors).toBe(1);
  });

  test("after a restart of the control plane the same configuration changes nothing", async () => {
    const a = await bed.instance("a");
    const config = await serving(a);
    const before = await process();
    const later = bed.again();
    await expect(later.sessions("shop", 0)).rejects.toMatchObject({ code: "not-found" });
    await later.apply(config);
    expect(await process()).toEqual(before);
    expect(await bed.request(host)).toBe("a");
  });

  test("a process that was killed comes back by itself as it was last set", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    await serving(a, b);
    await balancer.setSlots([{ route: "shop", position: 1, slot: { ...ready(b), state: "drain" } }]);
    await kill();
    await until(async () => (await bed.request(host).catch(() => 0)) === "a");
    for (let count = 0; count < 10; count++) expect(await bed.request(host)).toBe("a");
    await isUp(1);
    await balancer.setSlots([{ route: "shop", position: 1, slot: ready(b) }]);
    await balancer.setSlots([{ route: "shop", position: 0, slot: { ...ready(a), state: "drain" } }]);
    expect(await bed.request(host)).toBe("b");
  });

  test("counters do not go down when the process was killed", async () => {
    const a = await bed.instance("a");
    await serving(a);
    for (let count = 0; count < 5; count++) await bed.request(host);
    const before = await balancer.stats("shop");
    await kill();
    await until(async () => (await bed.request(host).catch(() => 0)) === "a");
    const after = await balancer.stats("shop");
    expect(after.requests).toBeGreaterThan(before.requests);
  });

  test("a container that was stopped or removed is brought back by applying", async () => {
    const a = await bed.instance("a");
    const config = await serving(a);
    await post(`/containers/${bed.container}/kill`);
    await expect(balancer.health([{ route: "shop", position: 0 }], { deadlineMs: 300 })).rejects.toMatchObject({
      code: "deadline",
    });
    await balancer.apply(config);
    await until(async () => (await bed.request(host)) === "a");
    await bed.engine.json({ method: "DELETE", path: `/containers/${bed.container}`, query: { force: true } }, limits);
    await balancer.apply(config);
    await until(async () => (await bed.request(host)) === "a");
  });

  test("a container whose folder was removed and made again, as with a new home, is replaced", async () => {
    const a = await bed.instance("a");
    const config = await serving(a);
    await rm(bed.options.directory, { recursive: true });
    await bed.again().apply(config);
    await until(async () => (await bed.request(host)) === "a");
    const { current } = await process();
    await bed.again().apply(config);
    expect((await process()).current).toBe(current);
  });

  test("while every instance fails its check nobody is sent anywhere, and the first that passes gets all", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    await serving(a, b);
    a.healthy = b.healthy = false;
    await until(async () => (await balancer.serving("shop")).length === 0);
    expect(JSON.parse((await bed.get(host)).body).error).toMatchObject({ code: "route.unavailable" });
    b.healthy = true;
    await isUp(1);
    for (let count = 0; count < 4; count++) expect(await bed.request(host)).toBe("b");
  });

  test("changes at the same time are taken one after the other", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    const config = await serving(a);
    await Promise.all([
      balancer.setSlots([{ route: "shop", position: 1, slot: ready(b) }]),
      balancer.setSlots([{ route: "shop", position: 0, slot: { ...ready(a), state: "drain" } }]),
      balancer.apply({ routes: [...config.routes, { ...route([emptySlot]), id: "other", hosts: [] }] }),
    ]);
    await balancer.setSlots([{ route: "shop", position: 1, slot: ready(b) }]);
    await isUp(1);
    expect(await bed.request(host)).toMatch(/^[ab]$/);
  });

  test("a configuration that HAProxy refuses leaves the one before in force, also after a restart", async () => {
    const a = await bed.instance("a");
    const config = await serving(a);
    const internalPort = 12_345;
    const listen = `use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => ${internalPort}, Listen => 1) or die`;
    const listening = await execute("perl", "-e", `${listen}; fork and exit; sleep 60`);
    await until(async () => (await exitCode(listening)) === 0);
    const taken = { routes: [{ ...route([ready(a), emptySlot]), internalPort }] };
    await expect(balancer.apply(taken)).rejects.toMatchObject({ code: "balancer-unreachable" });
    expect(await bed.request(host)).toBe("a");
    await balancer.setSlots([{ route: "shop", position: 1, slot: emptySlot }]);
    await kill();
    await until(async () => (await bed.request(host).catch(() => 0)) === "a");
    await balancer.apply(config);
  });

  test("a network that is not there is not found", async () => {
    const config = { routes: [{ ...route([emptySlot]), network: "towline-nowhere" }] };
    await expect(balancer.apply(config)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("HAProxy that cannot start says why", () => {
  test("an image that is not here", async () => {
    await using bed = await createTestBed({ image: "towline/nothing:1" });
    await expect(bed.balancer.apply({ routes: [] })).rejects.toMatchObject({ code: "image-missing" });
  });

  test("a port that something else has", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await using bed = await createTestBed({ publish: { host: "127.0.0.1", port } });
    await expect(bed.balancer.apply({ routes: [] })).rejects.toMatchObject({ code: "port-taken" });
    await new Promise((resolve) => server.close(resolve));
    await bed.balancer.apply({ routes: [] });
    expect((await bed.get("nowhere.localhost")).status).toBe(404);
  });

  test("an engine that is not there", async () => {
    const directory = await mkdtemp(join(tmpdir(), "towline-balancer-"));
    const publish = { host: "127.0.0.1", port: 1 };
    const balancer = createHaproxyBalancer({ install: "none", image: "x", directory, publish, socketPath: "/nowhere" });
    await expect(balancer.apply({ routes: [] })).rejects.toMatchObject({ code: "docker-unreachable" });
    await rm(directory, { recursive: true });
  });

  test("a folder whose name is too long for a socket serves all the same", async () => {
    const directory = await mkdtemp(join(tmpdir(), `towline-${"long".repeat(25)}-`));
    await using bed = await createTestBed({ directory });
    await bed.balancer.apply({ routes: [] });
    expect((await bed.get("nowhere.localhost")).status).toBe(404);
  });
});
