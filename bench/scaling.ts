/**
 * A service that is scaled between 1 and 4 instances under open-loop load on the real engine: how long it takes from the load to the
 * instances that it needs, and back when it is calm; no request may be lost on the way, with slow ones open while instances go.
 */
import { orThrow } from "#api/errors.ts";
import { type LoadKind, type LoadReport, startLoad } from "#testing/load.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { prepareHost } from "../cli/prepare.ts";
import { buildOf, finished, newService, setEnvironments } from "../e2e/support/fleet.ts";
import { type BenchResult, round, say } from "./figures.ts";

const [low, high] = [5, 60];
const perInstance = 20;
const needed = 3;
/** Seconds: two looks and the start of a container, with as much again for a busy machine. */
const aimSeconds = 20;

const kinds: readonly LoadKind[] = [
  { name: "get-kept", method: "GET", path: "/", keepAlive: true, share: 3 },
  { name: "get-fresh", method: "GET", path: "/", keepAlive: false, share: 3 },
  { name: "post-kept", method: "POST", path: "/", body: 5_000, keepAlive: true, share: 3 },
  { name: "slow", method: "GET", path: "/slow/2000", keepAlive: false },
];

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
  await ship(platform);
  const load = (rate: number) =>
    startLoad({ url: `http://127.0.0.1:${platform.httpPort}`, host: "probe.test.localhost", rate, kinds });
  await using busy = load(high);
  const outMs = await timeUntil(platform, (count) => count >= needed);
  const most = await wanted(platform);
  say(`  ${most} instances after ${Math.round(outMs / 1000)} s`);
  const reports = [await busy.stop()];
  await using calm = load(low);
  const inMs = await timeUntil(platform, (count) => count === 1);
  reports.push(await calm.stop());
  say(`  back to one after ${Math.round(inMs / 1000)} s`);
  return resultOf({ outMs, inMs, most, reports });
}

async function ship(platform: Platform): Promise<void> {
  await using checkout = await newService(platform, "talker", "probe");
  const scale = `run: { cpu: 0.5, memory: 128Mi, instances: 1..4, scale: { requests: ${perInstance}, calm: 10s } }`;
  await checkout.write("towline.yml", `service: probe\nhttp: { port: 8080 }\nrelease: { drain: 10s }\n${scale}\n`);
  const build = await buildOf(platform.client, await checkout.push("Scaled"), finished, 300_000);
  if (build.outcome !== "passed") throw new Error(`the build ended ${build.outcome}`);
}

async function wanted({ client }: Platform): Promise<number> {
  const { services } = orThrow(await client.getStatus({}));
  const cell = services[0]?.cells.find(({ environment }) => environment === "test");
  return cell?.healthy && cell.scale?.leaving === 0 ? cell.instances.wanted : 0;
}

async function timeUntil(platform: Platform, holds: (count: number) => boolean): Promise<number> {
  const began = performance.now();
  await until(async () => holds(await wanted(platform)), { deadlineMs: 240_000 });
  return performance.now() - began;
}

interface Seen {
  outMs: number;
  inMs: number;
  most: number;
  reports: LoadReport[];
}

function resultOf({ outMs, inMs, most, reports }: Seen): BenchResult {
  const sum = (figure: "offered" | "failed" | "cut") => reports.reduce((total, each) => total + each[figure], 0);
  const lost = sum("failed") + sum("cut");
  if (lost > 0) say(`  failures: ${JSON.stringify(reports.map(({ reasons }) => reasons))}`);
  return {
    bench: "scaling",
    ok: lost === 0 && outMs / 1000 <= aimSeconds,
    figures: {
      ...{ requests: sum("offered"), failed_requests: lost, instances: most },
      ...{ out_s: round(outMs / 1000, 1), aim_out_s: aimSeconds, in_s: round(inMs / 1000, 1) },
    },
  };
}
