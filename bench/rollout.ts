/**
 * Twenty deployments under steady load (open loop; GET and POST over kept and fresh connections): no request may fail. The time from "deploy" to
 * "all traffic on the new release" is held against a bare `docker run` of the same image until its first healthy answer.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { orThrow } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { freePort } from "#testing/free-port.ts";
import { startLoad } from "#testing/load.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { prepareHost } from "../cli/prepare.ts";
import { buildOf, finished, newService, setEnvironments } from "../e2e/support/fleet.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";

const run = promisify(execFile);
const deployments = 20;
const bareStarts = 5;
const requestsPerSecond = 200;
const aimMs = 1_000;

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
  const image = await twoReleases(platform);
  const bare = await bareStart(image);
  await using load = startLoad({
    url: `http://127.0.0.1:${platform.httpPort}`,
    host: "probe.test.localhost",
    rate: requestsPerSecond,
  });
  const times: number[] = [];
  for (let turn = 0; turn < deployments; turn++) times.push(await deployOnce(platform.client, (turn % 2) + 1, turn));
  const report = await load.stop();
  if (report.failed + report.cut > 0) say(`  failures: ${JSON.stringify(report.reasons)}`);
  const overhead = median(times) - median(bare);
  return {
    bench: "rollout",
    ok: report.failed + report.cut === 0 && overhead <= aimMs,
    figures: {
      requests: report.offered,
      failed_requests: report.failed + report.cut,
      rollout_p50_ms: round(median(times), 0),
      rollout_p95_ms: round(quantile(times, 0.95), 0),
      bare_start_p50_ms: round(median(bare), 0),
      overhead_ms: round(overhead, 0),
      aim_overhead_ms: aimMs,
    },
  };
}

/** Ships two versions and answers the image of the second. */
async function twoReleases(platform: Platform): Promise<string> {
  await using checkout = await newService(platform, "probe");
  for (const version of ["1", "2"]) {
    await checkout.write("version.txt", version);
    const build = await buildOf(platform.client, await checkout.push(`Version ${version}`), finished, 300_000);
    if (build.outcome !== "passed") throw new Error(`the build ended ${build.outcome}`);
  }
  const { digest } = orThrow(await platform.client.showRelease({ params: { service: "probe", number: 2 } }));
  return `${new URL(platform.url).host}/probe@${digest}`;
}

async function bareStart(image: string): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < bareStarts; turn++) {
    const port = await freePort();
    const began = performance.now();
    const { stdout } = await run("docker", [
      "run",
      "--detach",
      "--env",
      "PORT=8080",
      "--publish",
      `127.0.0.1:${port}:8080`,
      image,
    ]);
    try {
      await until(
        () =>
          fetch(`http://127.0.0.1:${port}/health`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { deadlineMs: 30_000 },
      );
      times.push(performance.now() - began);
    } finally {
      await run("docker", ["rm", "--force", stdout.trim()]);
    }
  }
  return times;
}

/** Milliseconds from the request until the swap has ended. Rolling back and forth is a deployment either way. */
async function deployOnce(client: Client, release: number, turn: number): Promise<number> {
  const began = Date.now();
  const body = { service: "probe", environment: "test", release };
  const { id } = orThrow(release === 1 ? await client.rollBack({ body }) : await client.createDeployment({ body }));
  let swapped = "";
  await until(
    async () => {
      const { steps, state, outcome, reason } = orThrow(await client.showDeployment({ params: { id } }));
      swapped = steps.find(({ phase }) => phase === "swap")?.finishedAt ?? "";
      if (state === "finished" && outcome !== "succeeded")
        throw new Error(`deployment ${turn} ended ${outcome}: ${reason}`);
      return state === "finished";
    },
    { deadlineMs: 60_000 },
  );
  const took = Date.parse(swapped) - began;
  say(`  deployment ${turn + 1}: ${took} ms`);
  return took;
}
