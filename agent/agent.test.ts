import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRefusal, orThrow, refuse } from "#api/errors.ts";
import { EngineError, type EngineRequest } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { usualOptions } from "#testing/agent-options.ts";
import { passed, playCompose, silentEngine } from "#testing/played-agent.ts";
import { type PlayedServer, playServer } from "#testing/played-server.ts";
import { freePort } from "#testing/free-port.ts";
import { until } from "#testing/until.ts";
import { startAgent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { connectServer } from "./connect-server.ts";

const never = new AbortController().signal;

async function optionsFor(server: PlayedServer): Promise<AgentOptions & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), "towline-agent-"));
  return {
    ...usualOptions,
    ...{ ...connectServer({ url: server.url, token: "tw_token-of-the-agent", home }), home },
    ...{ compose: playCompose(async () => passed), engine: silentEngine(), log: createLog("silent") },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

/** An engine of which `down` decides whether it answers. */
function shakyEngine(down: () => boolean) {
  const engine = silentEngine();
  const json = async <T>(request: EngineRequest): Promise<T> => {
    if (down()) throw new EngineError("unreachable", "the engine does not answer: ENOENT");
    return request.path === "/_ping" ? (undefined as T) : ([] as T);
  };
  return { ...engine, json };
}

test("it keeps its name over restarts, comes as a new instance, and says that it stops", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  for (const _ of [1, 2]) {
    await using agent = orThrow(await startAgent(options, never));
    await until(() => server.calls.includes("leaseJob"));
    expect(agent.name).toMatch(/-[0-9a-f]{8}$/);
    server.calls.length = 0;
  }
  expect(server.calls).toContain("stopAgent");
  const [first = "", second = ""] = [...server.askers];
  expect(first.split(" ")[0]).toBe(second.split(" ")[0]);
  expect(first).not.toBe(second);
});

test("it leases as many jobs as it has capacity", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  await using _ = orThrow(await startAgent({ ...options, capacity: 3 }, never));
  await until(() => server.calls.filter((call) => call === "leaseJob").length === 3);
});

test("without Docker it does not start", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  const refused = await startAgent({ ...options, engine: shakyEngine(() => true) }, never);
  expect(refused).toMatchObject({ refused: "host.docker-missing", message: expect.stringContaining("ENOENT") });
  expect(isRefusal(await startAgent(options, never).then((agent) => (isRefusal(agent) ? agent : end(agent))))).toBe(
    false,
  );
});

async function end(agent: AsyncDisposable): Promise<undefined> {
  await agent[Symbol.asyncDispose]();
  return undefined;
}

test("while Docker does not answer it leases nothing, and afterwards it does", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  let down = false;
  await using _ = orThrow(await startAgent({ ...options, engine: shakyEngine(() => down) }, never));
  await until(() => server.calls.includes("leaseJob"));
  down = true;
  server.refuseNext("leaseJob", refuse("server.stopping", "bye"));
  await server.away();
  server.calls.length = 0;
  await server.back();
  await until(async () => (await quiet(server)) === 0);
  down = false;
  await until(() => server.calls.includes("leaseJob"));
});

/** Calls within a third of a second. */
async function quiet({ calls }: PlayedServer): Promise<number> {
  calls.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 300));
  return calls.length;
}

test("below the disk floor it leases nothing", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  await using _ = orThrow(await startAgent({ ...options, diskFloor: Number.MAX_SAFE_INTEGER }, never));
  expect(await quiet(server)).toBe(0);
});

test("a server that refuses at once is not asked without pause", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  server.refuseNext("leaseJob", ...Array.from({ length: 50 }, () => refuse("auth.bad-token", "the token is revoked")));
  await using _ = orThrow(await startAgent(options, never));
  await until(() => server.calls.length > 0);
  expect(await quiet(server)).toBeLessThan(4);
});

test("its health and its metrics are told, with what keeps it from leasing", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  let down = false;
  const health = { host: "127.0.0.1", port: await freePort() };
  await using _ = orThrow(await startAgent({ ...options, health, engine: shakyEngine(() => down) }, never));
  const ask = (path: string) => fetch(`http://127.0.0.1:${health.port}${path}`);
  expect(await (await ask("/health")).json()).toMatchObject({ ok: true, running: 0, capacity: 1 });
  const metrics = await (await ask("/metrics")).text();
  expect(metrics).toContain("\ntowline_agent_up 1\n");
  expect(metrics).toMatch(/\ntowline_agent_disk_free_bytes \d+\n/);
  down = true;
  server.refuseNext("leaseJob", refuse("server.stopping", "bye"));
  await server.away();
  await server.back();
  await until(async () => (await ask("/health")).status === 503);
  expect((await ask("/nothing")).status).toBe(404);
});

test("workspaces of an earlier run are removed at the start", async () => {
  await using server = await playServer();
  await using options = await optionsFor(server);
  const folder = join(options.home, "workspaces");
  const { mkdir, readdir } = await import("node:fs/promises");
  await mkdir(join(folder, "tw-old-1"), { recursive: true });
  await writeFile(join(folder, "tw-old-1", "file"), "");
  await using _ = orThrow(await startAgent(options, never));
  expect(await readdir(folder)).toEqual([]);
});
