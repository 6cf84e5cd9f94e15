/** A runtime on the real engine with programs for the image of Node; all it made goes with it. */
import { randomBytes } from "node:crypto";
import { isRefusal } from "#api/errors.ts";
import { connectEngine, type Engine } from "#drivers/engine/engine.ts";
import type { RuntimeHarness } from "#drivers/runtime/conformance.ts";
import type { InstanceSpec, Runtime } from "#drivers/runtime/contract.ts";
import { createDockerRuntime } from "#drivers/runtime/docker/runtime.ts";
import { until } from "./until.ts";
import { ensureBaseImages } from "../tools/base-images/ensure.ts";

export const nodeImage = "towline/base-node:24";

export interface RuntimeBed extends RuntimeHarness {
  engine: Engine;
  install: string;
}

/** A command for the image of Node. */
export function program(source: string): string[] {
  return ["node", "-e", source];
}

/** What the suite of runtimes runs, with the image of Node. */
export const programsForNode = {
  image: nodeImage,
  // Nobody listens there.
  missingImage: `127.0.0.1:9/nothing@sha256:${"0".repeat(64)}`,
  startMs: 1_500,
  commands: {
    serve: program(`process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1e6); console.log("ready")`),
    rude: program(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6)`),
    toil: program(
      `process.on("SIGTERM", () => process.exit(0)); setInterval(() => { for (let n = 0; n < 1e6;) n++ }, 0)`,
    ),
    crash: program(`console.error("boom"); process.exitCode = 3`),
    flaky: program(`setTimeout(() => process.exit(4), 3000)`),
    print: program(`for (let n = 1; n <= 300; n++) console.log("line " + n); process.exitCode = 5`),
  },
  programs: {
    copy: program("process.stdin.pipe(process.stdout)"),
    fail: program(`console.error("no luck"); process.exitCode = 6`),
    wait: program("setTimeout(() => {}, 120_000)"),
    waiting: program(`const { readdirSync, readFileSync } = require("node:fs");
      const commandOf = (id) => { try { return readFileSync("/proc/" + id + "/cmdline", "utf8") } catch { return "" } };
      process.stdout.write(String(readdirSync("/proc").filter((id) => commandOf(id).includes("120_" + "000")).length))`),
    measure: program(`process.stdin.setRawMode(true).on("data", (typed) => {
      if (!typed.includes("q")) return;
      console.log(process.stdout.columns + "x" + process.stdout.rows); process.exit(7) })`),
  },
} satisfies Partial<RuntimeHarness>;

export async function createRuntimeBed(): Promise<RuntimeBed> {
  const ready = await ensureBaseImages(["node"], { log: () => {} });
  if (isRefusal(ready)) throw new Error(ready.message);
  const install = `test-${randomBytes(4).toString("hex")}`;
  const runtime = createDockerRuntime({ install });
  return {
    runtime,
    install,
    engine: connectEngine(),
    ...programsForNode,
    async [Symbol.asyncDispose]() {
      await letImagesGo(install);
      for (const { id } of await runtime.list({})) await runtime.remove(id);
      for (const environment of await runtime.environments())
        await runtime.removeEnvironment(environment, { volumes: "delete" });
    },
  };
}

/** The images stay: others use them too. */
export async function letImagesGo(install: string): Promise<void> {
  const engine = connectEngine();
  const filters = JSON.stringify({ label: [`towline.install=${install}`, "towline.holds"] });
  const list = { method: "GET" as const, path: "/containers/json", query: { all: true, filters } };
  const limits = { deadlineMs: 30_000 };
  for (const { Id } of await engine.json<{ Id: string }[]>(list, limits))
    await engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true, v: true } }, limits);
}

/** What an instance that adds a letter to a file of its volume at each start reads there, over the lives of the volume. */
export async function readingsOfVolume(runtime: Runtime): Promise<Record<string, string | undefined>> {
  const environment = "volumes";
  const source = `
    const { appendFileSync, readFileSync } = require("node:fs");
    process.on("SIGTERM", () => process.exit());
    appendFileSync("/data/log", "x"); console.log(readFileSync("/data/log", "utf8")); setInterval(() => {}, 1e6)`;
  const spec: InstanceSpec = {
    ...{ name: "has-volume", environment, image: nodeImage, command: program(source), env: {}, labels: {} },
    ...{ cpu: 1, memory: 128 * 2 ** 20, kind: "backing", volumes: [{ name: "data", path: "/data" }] },
  };
  const read = async () => {
    await runtime.ensureNetwork(environment);
    const { id } = await runtime.start(spec);
    const lines = () => runtime.logs(id, { lines: 1 });
    await until(async () => (await lines()).length > 0);
    const [line] = await lines();
    await runtime.remove(id);
    return line;
  };
  const [first, again] = [await read(), await read()];
  await runtime.removeEnvironment(environment, { volumes: "keep" });
  const kept = await read();
  await runtime.removeEnvironment(environment, { volumes: "delete" });
  const deleted = await read();
  await runtime.removeEnvironment(environment, { volumes: "delete" });
  return { first, again, kept, deleted };
}
