/**
 * Fifty deployments, twenty rollbacks and ten canaries under open-loop load (GET and POST over kept and fresh connections, slow answers,
 * uploads, WebSockets), while the server is killed five times in the middle of a rollout, and while the balancer reloads because a
 * release is checked at another path. No request may fail; a connection may be cut only when the drain time is over, and then the
 * deployment says so. The time from "deploy" to "all traffic on the new release" is held against a bare `docker run` of as many containers
 * from the same image, with the same limits and under the same load, until each has answered that it is healthy.
 */
import { join } from "node:path";
import { orThrow } from "#api/errors.ts";
import { createMaster } from "#drivers/balancer/haproxy/master.ts";
import { masterSocket } from "#drivers/balancer/haproxy/render.ts";
import { type LoadKind, startLoad } from "#testing/load.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { prepareHost } from "../cli/prepare.ts";
import { deploymentOnce, inPhase, startDeployment, startRollback } from "../e2e/support/deployments.ts";
import { setEnvironments } from "../e2e/support/fleet.ts";
import { probeService } from "../e2e/support/service.ts";
import { bareStart } from "./deploy/bare.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";
import { startSockets } from "./rollout/sockets.ts";

const [deployments, canaries, instances] = [50, 10, 2];
/** Of each ten deployments this one is to the release with the other health path, and in this one the server is killed. */
const [reloading, killing] = [10, 6];
/** Of each five deployments this one is followed by a bare start. */
const startingBare = 4;
/** Of each five deployments these are followed by a rollback. */
const rolledBack = new Set([3, 5]);
const stayingSockets = 2;
const requestsPerSecond = 200;
const aimMs = 1_000;
const kinds: LoadKind[] = [
  ...[true, false].flatMap((keepAlive): LoadKind[] => [
    { name: `get-${keepAlive}`, method: "GET", path: "/", keepAlive, share: 12 },
    { name: `post-${keepAlive}`, method: "POST", path: "/", body: 5_000, keepAlive, share: 12 },
  ]),
  { name: "slow", method: "GET", path: "/slow/2000", keepAlive: true, share: 1 },
  { name: "upload", method: "POST", path: "/", body: 1_000_000, keepAlive: false, share: 1 },
];

const usual = `run: { cpu: 0.5, memory: 128Mi, instances: ${instances} }\n`;
const plain = `${usual}release: { drain: 5s }\n`;
/** Release 3 is checked at another path, release 4 goes out as a canary. */
const manifests = [
  `http: { port: 8080, health: /health }\n${plain}`,
  `http: { port: 8080, health: /health }\n${plain}`,
  `http: { port: 8080, health: /ready }\n${plain}`,
  `http: { port: 8080, health: /health }\n${usual}release: { drain: 5s, strategy: canary, steps: [50%, 2s], analysis: { requests: 20 } }\n`,
];
const place = { service: "probe", environment: "test" };

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
  const image = await makeReleases(platform);
  await deployOnce(platform, { release: 1 });
  const target = { url: `http://127.0.0.1:${platform.httpPort}`, host: "probe.test.localhost" };
  await using load = startLoad({ ...target, rate: requestsPerSecond, kinds, timeoutMs: 30_000 });
  await using sockets = startSockets({ ...target, url: target.url.replace("http", "ws") });
  const reloads = await countReloads(platform);
  const [times, bare]: [number[], number[]] = [[], []];
  let [rollbacks, kills, cutSaid] = [0, 0, 0];
  for (let turn = 1; turn <= deployments; turn++) {
    const kill = turn % 10 === killing;
    const { tookMs } = await deployOnce(platform, { release: turn % 10 === reloading % 10 ? 3 : 2, kill });
    if (kill) kills += 1;
    else times.push(tookMs);
    say(`  deployment ${turn}: ${kill ? "server killed" : `${tookMs} ms`}`);
    if (turn % 5 === startingBare) bare.push(await bareStart(platform, { image, count: instances, memory: "128m" }));
    if (!rolledBack.has(((turn - 1) % 5) + 1)) continue;
    times.push((await deployOnce(platform, { release: 1, back: true })).tookMs);
    rollbacks += 1;
  }
  await sockets.staying(stayingSockets, async () => {
    for (let turn = 1; turn <= canaries; turn++) {
      const { cut } = await deployOnce(platform, { release: 4 });
      cutSaid += cut;
      say(`  canary ${turn}: ${cut} sockets cut when the drain time was over`);
    }
  });
  const [report, talked, reloaded] = [await load.stop(), await sockets.stop(), await countReloads(platform)];
  const failed = report.failed + report.cut;
  const lostSockets = Object.values(talked.lost).reduce((sum, count) => sum + count, 0);
  if (failed + lostSockets > 0) say(`  failures: ${JSON.stringify({ ...report.reasons, ...talked.lost })}`);
  const overhead = median(times) - median(bare);
  return {
    bench: "rollout",
    ok: failed + lostSockets === 0 && talked.cut === cutSaid && overhead <= aimMs,
    figures: {
      ...{ deployments, rollbacks, canaries, server_kills: kills, balancer_reloads: reloaded - reloads },
      ...{ requests: report.offered, failed_requests: failed, request_p95_ms: report.p95 },
      ...{ sockets: talked.opened, socket_messages: talked.messages, lost_sockets: lostSockets },
      ...{ cut_after_drain: talked.cut, cut_after_drain_said: cutSaid },
      rollout_p50_ms: round(median(times), 0),
      rollout_p95_ms: round(quantile(times, 0.95), 0),
      bare_start_p50_ms: round(median(bare), 0),
      overhead_ms: round(overhead, 0),
      aim_overhead_ms: aimMs,
    },
  };
}

/** Ships a version with each manifest and answers the image of the second. */
async function makeReleases(platform: Platform): Promise<string> {
  await using service = await probeService(platform, place.service, { deploy: [], like: "talker" });
  for (const [at, manifest] of manifests.entries()) {
    await service.checkout.write("towline.yml", `service: ${place.service}\n${manifest}`);
    await service.ship(String(at + 1));
  }
  const { digest } = orThrow(await platform.client.showRelease({ params: { service: place.service, number: 2 } }));
  return `${new URL(platform.url).host}/probe@${digest}`;
}

async function countReloads({ home }: Platform): Promise<number> {
  return (await createMaster(join(home, "balancer", masterSocket)).processes(AbortSignal.timeout(10_000))).reloads;
}

interface Turn {
  release: number;
  back?: boolean;
  /** The server is killed in the middle of it, and started again. */
  kill?: boolean;
}

/** Milliseconds from the request until the swap has ended, and how many connections the deployment says that it cut. */
async function deployOnce(platform: Platform, { release, back = false, kill = false }: Turn) {
  const { client } = platform;
  const began = Date.now();
  const id = await (back ? startRollback : startDeployment)(client, { ...place, release });
  if (kill) {
    await inPhase(client, id, ["start", "probe", "swap", "drain"]);
    await platform.server.kill();
    await platform.restartServer();
  }
  const { steps, outcome, reason } = await deploymentOnce(client, id);
  const cut = /^(\d+) open requests were cut off/.exec(reason ?? "")?.[1];
  if (outcome !== "succeeded" || (reason !== null && cut === undefined))
    throw new Error(`the deployment of release ${release} ended ${outcome}: ${reason}`);
  const swapped = steps.findLast(({ phase }) => phase === "swap")?.finishedAt ?? "";
  return { tookMs: Date.parse(swapped) - began, cut: Number(cut ?? 0) };
}
