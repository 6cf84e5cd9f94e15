/** How often the real engine is asked for what it has told before, and that what is told is true all the same. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRuntimeBed, type RuntimeBed } from "#testing/runtime-bed.ts";
import { until } from "#testing/until.ts";
import type { Runtime } from "../contract.ts";
import { createDockerRuntime } from "./runtime.ts";

const docker = (...args: string[]) => promisify(execFile)("docker", args);
const environment = "test";

describe("what the engine has told of its containers", () => {
  let bed: RuntimeBed;
  let way: CountedEngine;
  let runtime: Runtime;
  let serial = 0;
  beforeAll(async () => {
    bed = await createRuntimeBed();
    way = await countEngine();
    runtime = createDockerRuntime({ install: bed.install, socketPath: way.socketPath });
    await runtime.ensureNetwork(environment);
  });
  afterEach(async () => {
    for (const { id } of await runtime.list({})) await runtime.remove(id);
  });
  afterAll(async () => {
    await way?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const start = (command: "serve" | "flaky") =>
    runtime.start({
      ...{ name: `seen-${++serial}`, environment, kind: "service", image: bed.image, command: bed.commands[command] },
      ...{ env: {}, labels: { case: `${serial}` }, cpu: 1, memory: 128 * 1024 * 1024 },
    });
  const list = async () => {
    const before = way.asked.length;
    const found = await runtime.list({});
    return { found, asked: way.asked.slice(before).filter((path) => !path.startsWith("/events")) };
  };
  /** Until each of them was inspected while events are heard. */
  const listKnown = () => until(async () => (await list()).asked.length === 1);

  test("is not asked again while nothing happens to them", async () => {
    const started = [await start("serve"), await start("serve")];
    await listKnown();
    const { found, asked } = await list();
    expect(found).toEqual(started);
    expect(asked).toEqual(["/containers/json"]);
  });

  test("is asked of the one to which something happens, by whomever", async () => {
    const [first, second] = [await start("serve"), await start("serve")];
    await until(async () => (await runtime.logs(first.id, { lines: 1 })).includes("ready"));
    await listKnown();
    await docker("stop", "--time", "5", first.id);
    const { found, asked } = await list();
    expect(found).toMatchObject([{ id: first.id, state: "exited", exitCode: 0 }, second]);
    expect(asked).toEqual(["/containers/json", `/containers/${first.id}/json`]);
    await docker("start", first.id);
    expect((await list()).found).toMatchObject([{ id: first.id, state: "running", address: first.address }, second]);
    await docker("rm", "--force", first.id);
    expect((await list()).found).toEqual([second]);
  });

  test("is asked again of one that the engine has started again, though a list shows it as it was", async () => {
    await start("flaky");
    await listKnown();
    await until(async () => (await list()).found.some(({ state, restarts }) => state === "running" && restarts > 0));
  });

  test("is asked each time where the engine tells no events, and once more after each of their ends", async () => {
    const { id } = await start("serve");
    await listKnown();
    way.takesEvents = false;
    way.cutEvents();
    const each = ["/containers/json", `/containers/${id}/json`];
    await until(async () => (await list()).asked.length === 2);
    expect((await list()).asked).toEqual(each);
    // Nobody hears of this one.
    await docker("restart", "--time", "5", id);
    const [now] = (await list()).found;
    way.takesEvents = true;
    await listKnown();
    expect((await list()).found).toEqual([now]);
    expect(now?.startedAt?.getTime()).toBeGreaterThan(0);
  });
});

interface CountedEngine extends AsyncDisposable {
  socketPath: string;
  /** Paths without version and query, in order. */
  asked: string[];
  takesEvents: boolean;
  cutEvents(): void;
}

async function countEngine(engine = "/var/run/docker.sock"): Promise<CountedEngine> {
  const folder = await mkdtemp(join(tmpdir(), "towline-engine-"));
  const listeners = new Set<ServerResponse>();
  const counted = {
    socketPath: join(folder, "docker.sock"),
    asked: [] as string[],
    takesEvents: true,
    cutEvents: () => listeners.forEach((each) => each.destroy()),
  };
  const server = createServer((asked, answer) => {
    const { method, url: path = "", headers } = asked;
    const short = path.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
    counted.asked.push(short);
    if (short === "/events" && !counted.takesEvents) return answer.writeHead(403).end("{}");
    if (short === "/events") listeners.add(answer);
    const onward = request({ socketPath: engine, method, path, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers).flushHeaders();
      reply.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    answer.on("close", () => (listeners.delete(answer), onward.destroy()));
    // At once: an end that is written after the engine has answered and closed is an EPIPE, and its answer is lost.
    void buffer(asked).then((body) => onward.end(body));
  });
  await new Promise<void>((resolve) => server.listen(counted.socketPath, resolve));
  return Object.assign(counted, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  });
}
