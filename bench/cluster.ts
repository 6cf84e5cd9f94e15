/**
 * Three engines on this machine, each in a network of its own, as one swarm: a service of three instances under steady load while
 * one machine is drained, and while another is lost without a word. No request may fail at the drain; at the loss those under way
 * may, and the instances must serve elsewhere soon.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { createSwarmRuntime } from "#drivers/runtime/swarm/runtime.ts";
import { haproxyImage } from "#testing/balancer-bed.ts";
import { type ClusterBed, type Machine, openClusterBed } from "#testing/cluster-bed.ts";
import { startLoad } from "#testing/load.ts";
import { whyNoOwnEngine } from "#testing/own-engine.ts";
import { buildSmallImage, smallImage, smallService } from "#testing/small-service.ts";
import { until } from "#testing/until.ts";
import { prepareHost } from "../cli/prepare.ts";
import { type BenchResult, round, say } from "./figures.ts";

/** Swarm notices at its usual settings within 15 s, and a container starts; as much again for a busy machine. */
const aimSeconds = 30;
const httpPort = 8300;

export async function main(): Promise<BenchResult> {
  const missing = await whyNoOwnEngine();
  if (missing !== undefined) throw new Error(`three engines cannot be started here: ${missing}`);
  await prepareHost({ yes: true }, ["haproxy", "debian"]);
  await buildSmallImage();
  await using bed = await openClusterBed({ images: [haproxyImage], everywhere: [smallImage] });
  await using served = await serving(bed);
  const [manager, second, third] = bed.machines as [Machine, Machine, Machine];
  const available = (how: string) => manager.docker("node", "update", "--availability", how, second.name);
  const drained = await served.during(() => available("drain"), second);
  say(`  drained: ${JSON.stringify(drained)}`);
  await available("active");
  const lost = await served.during(() => third.unplug(), third);
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

/** Three instances behind the balancer, whose addresses it is told every second as the supervisor does, and the load on them. */
async function serving({ machines: [manager] }: ClusterBed) {
  const { socketPath, address: host, docker } = manager as Machine;
  const common = { install: "bench-cluster", socketPath };
  const runtime = createSwarmRuntime(common);
  const { name: network } = await runtime.ensureNetwork("test");
  await runtime.pull(smallImage, { environment: "test" });
  const specs = [1, 2, 3].map((number) => ({
    ...{ name: `orders-${number}`, environment: "test", kind: "service" as const, image: smallImage, env: {} },
    ...{ command: smallService, labels: { service: "orders" }, cpu: 0.5, memory: 64 * 2 ** 20, graceMs: 5_000 },
  }));
  const addresses: string[] = [];
  for (const spec of specs) addresses.push((await runtime.start(spec)).address ?? "");
  const directory = await mkdtemp(join(tmpdir(), "towline-cluster-"));
  const publish = { host, port: httpPort };
  const balancer = createHaproxyBalancer({ ...common, image: haproxyImage, directory, publish });
  const slotOf = (at: string) => ({ address: { host: at, port: 8080 }, state: "ready" as const, weight: 100 });
  const route = { id: "orders.test", hosts: ["orders.test"], network, internalPort: 10_000, healthPath: "/" };
  await balancer.apply({ routes: [{ ...route, slots: addresses.map(slotOf) }] });
  const all = async () => (await balancer.serving(route.id)).length === specs.length;
  await until(all, { deadlineMs: 60_000 });
  async function follow(): Promise<void> {
    for (const { name, state, address } of await runtime.list({ service: "orders" })) {
      const at = specs.findIndex((spec) => spec.name === name);
      if (state !== "running" || !address || at === -1 || address === addresses[at]) continue;
      addresses[at] = address;
      await balancer.setSlots([{ route: route.id, position: at, slot: slotOf(address) }]);
    }
  }
  /** Whether three serve, of which none is on the machine, and not all where they were. */
  async function moved(from: Machine, before: readonly string[]): Promise<boolean> {
    const format = ["--filter", "desired-state=running", "--format", "{{.Name}}"];
    if ((await docker("node", "ps", from.name, ...format)) !== "") return false;
    await follow();
    await sleep(1_000);
    return addresses.some((address, at) => address !== before[at]) && all();
  }
  return {
    /** What the load saw until three serve elsewhere, and two seconds more. */
    async during(act: () => Promise<unknown>, machine: Machine) {
      const before = [...addresses];
      const kinds = [{ name: "get", method: "GET", path: "/", keepAlive: false }] as const;
      await using load = startLoad({ url: `http://${host}:${httpPort}`, host: "orders.test", rate: 50, kinds });
      await until(() => load.report().ok > 0);
      const began = performance.now();
      await act();
      await until(() => moved(machine, before), { deadlineMs: 120_000 });
      const seconds = round((performance.now() - began) / 1000, 1);
      await sleep(2_000);
      const { offered, failed, cut } = await load.stop();
      return { requests: offered, failed: failed + cut, seconds };
    },
    async [Symbol.asyncDispose]() {
      await balancer.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
