/**
 * Requests a second and p99 through a service's route against the same HAProxy with a configuration written by hand, in turn. What the
 * proxies take of the processors for a request says the same with less noise. A third one, which uses connections to instances
 * again, shows what it costs that no request can be lost to a connection that is just being closed (docs/adr/0005).
 */
import type { Balancer } from "#drivers/balancer/contract.ts";
import { createTestBed } from "#testing/balancer-bed.ts";
import { freePort } from "#testing/free-port.ts";
import { until } from "#testing/until.ts";
import { findProgram } from "../tools/host/programs.ts";
import { installPackages } from "../tools/host/apt.ts";
import { prepareHost } from "../cli/prepare.ts";
import { byHand, instanceConfig, startProxy } from "./balancer/by-hand.ts";
import { loadRound, type Round } from "./balancer/wrk.ts";
import { type BenchResult, median, round, say } from "./figures.ts";

const rounds = 6;
const seconds = 4;
const aimRatio = 0.97;

type Name = "ours" | "byHand" | "reuse";

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy"]);
  await ensureWrk();
  await using bed = await createTestBed();
  await using stack = new AsyncDisposableStack();
  const start = async (name: string, config: string, port?: number) =>
    stack.use(
      await startProxy({
        ...{ name: `${bed.container}-${name}`, network: bed.network, config },
        ...(port === undefined ? {} : { port }),
      }),
    );
  const instances = [await start("one", instanceConfig), await start("two", instanceConfig)].map(
    ({ address }) => address,
  );
  await route(bed.balancer, bed.network, instances);
  const [port, reusePort] = [await freePort(), await freePort()];
  const hand = await start("by-hand", byHand(instances, false), port);
  const reusing = await start("reuse", byHand(instances, true), reusePort);
  const targets: Record<Name, Parameters<typeof loadRound>[0]> = {
    ours: { container: bed.container, port: bed.options.publish.port },
    byHand: { container: hand.container, port },
    reuse: { container: reusing.container, port: reusePort },
  };
  return resultOf(await measure(targets));
}

async function ensureWrk(): Promise<void> {
  if ((await findProgram("wrk")) !== undefined) return;
  const refused = await installPackages({ packages: ["wrk"], missing: "wrk is missing", code: "not-found", log: say });
  if (refused) throw new Error(`${refused.message} ${refused.fix ?? ""}`);
}

async function route(balancer: Balancer, network: string, instances: readonly string[]): Promise<void> {
  const slots = instances.map((host) => ({ address: { host, port: 8080 }, state: "ready", weight: 100 }) as const);
  const id = "orders.test";
  const hosts = ["orders.test.localhost"];
  await balancer.apply({ routes: [{ id, hosts, network, internalPort: 10_001, healthPath: "/health", slots }] });
  await until(async () => (await balancer.serving(id)).length === instances.length);
}

async function measure(targets: Record<Name, Parameters<typeof loadRound>[0]>): Promise<Record<Name, Round[]>> {
  const names = Object.keys(targets) as Name[];
  const seen: Record<Name, Round[]> = { ours: [], byHand: [], reuse: [] };
  for (const name of names) await loadRound(targets[name], 1);
  for (let turn = 0; turn < rounds; turn++) {
    for (const name of turn % 2 === 0 ? names : names.toReversed())
      seen[name].push(await loadRound(targets[name], seconds));
    const told = names.map((name) => `${name} ${Math.round(seen[name][turn]?.requestsPerSecond ?? 0)}`);
    say(`  round ${turn + 1} of ${rounds}: ${told.join(", ")} requests a second`);
  }
  return seen;
}

function resultOf(seen: Record<Name, Round[]>): BenchResult {
  const of = (name: Name, figure: keyof Round) => median(seen[name].map((each) => each[figure]));
  // Of neighbours in time, so that what else the machine does is nearly the same for both.
  const ratioOf = (figure: keyof Round, other: Name) =>
    median(seen.ours.map((each, turn) => each[figure] / (seen[other][turn]?.[figure] ?? Number.NaN)));
  const ratio = ratioOf("requestsPerSecond", "byHand");
  return {
    bench: "balancer",
    ok: ratio >= aimRatio,
    figures: {
      ratio: round(ratio, 3),
      aim_ratio: aimRatio,
      requests_per_second: round(of("ours", "requestsPerSecond"), 0),
      by_hand_requests_per_second: round(of("byHand", "requestsPerSecond"), 0),
      p99_ms: round(of("ours", "p99Ms")),
      by_hand_p99_ms: round(of("byHand", "p99Ms")),
      cpu_us: round(of("ours", "cpuUs"), 1),
      by_hand_cpu_us: round(of("byHand", "cpuUs"), 1),
      cpu_ratio: round(ratioOf("cpuUs", "byHand"), 3),
      reuse_requests_per_second: round(of("reuse", "requestsPerSecond"), 0),
      reuse_ratio: round(ratioOf("requestsPerSecond", "reuse"), 3),
    },
  };
}
