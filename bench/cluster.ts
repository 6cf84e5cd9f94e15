/**
 * Three engines on this machine, each in a network of its own, as one swarm: a service of three instances under steady load while
 * one machine is drained, and while another is lost without a word. No request may fail at the drain; at the loss those under way
 * may, and the instances must serve elsewhere soon.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { createSwarmRuntime } from "#drivers/runtime/swarm/runtime.ts";
import { openOwnEngine, type OwnEngine, whyNoOwnEngine } from "#testing/own-engine.ts";
import { until } from "#testing/until.ts";
import { prepareHost } from "../cli/prepare.ts";
import { type BenchResult, round, say } from "./figures.ts";

const run = promisify(execFile);
const [node, haproxy] = ["towline/base-node:24", "towline/base-haproxy:stable"];
const subnet = "10.77.0";
/** Swarm notices at its usual settings within 15 s, and a container starts; as much again for a busy machine. */
const aimSeconds = 30;

const service = `const server = require("node:http").createServer((_, answer) => setTimeout(() => answer.end("ok"), 50)).listen(8080);
  process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });`;
const load = `const http = require("node:http"); const seen = {}; let asked = 0;
  const note = (what) => (seen[what] = (seen[what] ?? 0) + 1);
  setInterval(() => { asked++; http.get({ port: 8300, host: "127.0.0.1", headers: { host: "orders.test" }, agent: false }, (answer) => {
    answer.resume(); answer.on("end", () => note(answer.statusCode)); answer.on("error", ({ code }) => note(code)); })
    .on("error", ({ code }) => note(code)); }, 20);
  setInterval(() => console.log(JSON.stringify(seen)), 200);`;

export async function main(): Promise<BenchResult> {
  const missing = await whyNoOwnEngine();
  if (missing !== undefined) throw new Error(`three engines cannot be started here: ${missing}`);
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  await using first = await openOwnEngine([node, haproxy]);
  await using second = await openOwnEngine([node]);
  await using third = await openOwnEngine([node]);
  await using cluster = await joined([first, second, third]);
  const drained = await cluster.during(() => cluster.drain(1), 1);
  say(`  drained: ${JSON.stringify(drained)}`);
  const lost = await cluster.during(() => cluster.lose(2), 2);
  say(`  lost: ${JSON.stringify(lost)}`);
  return {
    bench: "cluster",
    ok: drained.failed === 0 && lost.seconds <= aimSeconds,
    figures: {
      ...{ drain_requests: drained.requests, drain_failed_requests: drained.failed, drain_back_s: drained.seconds },
      ...{ loss_requests: lost.requests, loss_failed_requests: lost.failed, loss_back_s: lost.seconds },
      aim_back_s: aimSeconds,
    },
  };
}

/** One bridge in the network of the first engine, to which the others have a cable each. */
async function joined(engines: OwnEngine[]) {
  const keepers = engines.map((engine) => engine.inside(["sleep", "600"]));
  const pids = keepers.map(({ pid }) => String(pid));
  const inside = (at: number, ...words: string[]) => run("nsenter", [`--net=/proc/${pids[at]}/ns/net`, ...words]);
  const docker = async (at: number, ...words: string[]) =>
    (await run("docker", ["-H", `unix://${engines[at]?.socketPath ?? ""}`, ...words])).stdout.trim();
  await sleep(300);
  await inside(0, "ip", "link", "add", "cluster", "type", "bridge");
  await inside(0, "ip", "addr", "add", `${subnet}.1/24`, "dev", "cluster");
  await inside(0, "ip", "link", "set", "cluster", "up");
  await inside(0, "iptables", "-I", "FORWARD", "-i", "cluster", "-o", "cluster", "-j", "ACCEPT");
  await docker(0, "swarm", "init", "--advertise-addr", `${subnet}.1`, "--listen-addr", `${subnet}.1:2377`);
  const token = await docker(0, "swarm", "join-token", "-q", "worker");
  for (const at of [1, 2]) {
    const cable = ["type", "veth", "peer", "name", "cluster", "netns", pids[at] ?? ""];
    await inside(0, "ip", "link", "add", `port${at}`, ...cable);
    await inside(0, "ip", "link", "set", `port${at}`, "master", "cluster", "up");
    await inside(at, "ip", "addr", "add", `${subnet}.${at + 1}/24`, "dev", "cluster");
    await inside(at, "ip", "link", "set", "cluster", "up");
    const address = ["--advertise-addr", `${subnet}.${at + 1}`, `${subnet}.1:2377`];
    await docker(at, "swarm", "join", "--token", token, ...address);
  }
  const ids = await Promise.all(engines.map((_, at) => docker(at, "info", "--format", "{{.Swarm.NodeID}}")));
  const served = await serving(engines[0] as OwnEngine);
  const placed = async (at: number) =>
    docker(0, "node", "ps", ids[at] ?? "", "--filter", "desired-state=running", "--format", "{{.Name}}");
  return {
    drain: (at: number) => docker(0, "node", "update", "--availability", "drain", ids[at] ?? ""),
    lose: (at: number) => inside(0, "ip", "link", "del", `port${at}`),
    /** What the load saw until three serve again of which none is on the machine, and two seconds more. */
    async during(act: () => Promise<unknown>, at: number) {
      const before = served.seen();
      const addresses = served.addresses();
      const began = performance.now();
      await act();
      await until(async () => (await placed(at)) === "" && (await served.moved(addresses)), { deadlineMs: 120_000 });
      const seconds = round((performance.now() - began) / 1000, 1);
      await sleep(2_000);
      await docker(0, "node", "update", "--availability", "active", ids[at] ?? "");
      const after = served.seen();
      return { requests: after.requests - before.requests, failed: after.failed - before.failed, seconds };
    },
    async [Symbol.asyncDispose]() {
      await served.end();
      for (const keeper of keepers) keeper.kill();
    },
  };
}

/** Three instances behind the balancer, whose addresses it is told every second as the supervisor does, and the load on them. */
async function serving(manager: OwnEngine) {
  const common = { install: "bench-cluster", socketPath: manager.socketPath };
  const runtime = createSwarmRuntime(common);
  const { name: network } = await runtime.ensureNetwork("test");
  await runtime.pull(node, { environment: "test" });
  const specs = [1, 2, 3].map((number) => ({
    ...{ name: `orders-${number}`, environment: "test", kind: "service" as const, image: node, env: {} },
    ...{ command: ["node", "-e", service], labels: { service: "orders" }, cpu: 0.5, memory: 128 * 2 ** 20 },
    graceMs: 5_000,
  }));
  const addresses: string[] = [];
  for (const spec of specs) addresses.push((await runtime.start(spec)).address ?? "");
  const directory = await mkdtemp(join(tmpdir(), "towline-cluster-"));
  const balancer = createHaproxyBalancer({
    ...common,
    image: haproxy,
    directory,
    publish: { host: "127.0.0.1", port: 8300 },
  });
  const slotOf = (host: string) => ({ address: { host, port: 8080 }, state: "ready" as const, weight: 100 });
  const route = { id: "orders.test", hosts: ["orders.test"], network, internalPort: 10_000, healthPath: "/" };
  await balancer.apply({ routes: [{ ...route, slots: addresses.map(slotOf) }] });
  const all = async () => (await balancer.serving(route.id)).length === specs.length;
  await until(all, { deadlineMs: 60_000 });
  const asking = manager.inside([process.execPath, "-e", load]);
  let counts: Record<string, number> = {};
  asking.stdout.on("data", (bytes: Buffer) => {
    const last = bytes.toString().trim().split("\n").at(-1) ?? "";
    if (last.endsWith("}")) counts = JSON.parse(last) as Record<string, number>;
  });
  async function follow(): Promise<void> {
    for (const { name, state, address } of await runtime.list({ service: "orders" })) {
      const at = specs.findIndex((spec) => spec.name === name);
      if (state !== "running" || !address || at === -1 || address === addresses[at]) continue;
      addresses[at] = address;
      await balancer.setSlots([{ route: route.id, position: at, slot: slotOf(address) }]);
    }
  }
  return {
    addresses: () => [...addresses],
    /** Whether three serve, and not all where they were. */
    async moved(before: readonly string[]): Promise<boolean> {
      await follow();
      await sleep(1_000);
      return addresses.some((address, at) => address !== before[at]) && all();
    },
    seen() {
      const requests = Object.values(counts).reduce((sum, count) => sum + count, 0);
      return { requests, failed: requests - (counts["200"] ?? 0) };
    },
    async end() {
      asking.kill();
      for (const { id } of await runtime.list({})) {
        await runtime.stop(id, { graceMs: 1_000 });
        await runtime.remove(id);
      }
      await balancer.remove();
      await runtime.removeEnvironment("test", { volumes: "delete" });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
