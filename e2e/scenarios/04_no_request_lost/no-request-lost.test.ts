import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Load, type LoadKind, startLoad } from "#testing/load.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { openRequest } from "../../support/ask.ts";
import { deploymentOnce, inPhase, startDeployment, startRollback } from "../../support/deployments.ts";
import { buildOf, finished, setEnvironments } from "../../support/fleet.ts";
import { instancesOf } from "../../support/instances.ts";
import { probeService, type Service } from "../../support/service.ts";

const place = { service: "probe", environment: "test" };
const requestsPerSecond = 60;
const kinds: LoadKind[] = [
  { name: "get-kept", method: "GET", path: "/", keepAlive: true, share: 12 },
  { name: "get-fresh", method: "GET", path: "/", keepAlive: false, share: 12 },
  { name: "post-kept", method: "POST", path: "/", body: 5_000, keepAlive: true, share: 12 },
  { name: "post-fresh", method: "POST", path: "/", body: 5_000, keepAlive: false, share: 12 },
  { name: "slow", method: "GET", path: "/slow/2000", keepAlive: true, share: 2 },
  { name: "upload", method: "POST", path: "/", body: 1_000_000, keepAlive: false, share: 2 },
];

let platform: Platform;
let service: Service;
let load: Load;
let offered = 0;

beforeAll(async () => {
  platform = await startPlatform();
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
  service = await probeService(platform, "probe");
  await service.ship("1");
  load = startLoad({
    ...{ url: `http://127.0.0.1:${platform.httpPort}`, host: "probe.test.localhost", rate: requestsPerSecond },
    ...{ kinds, timeoutMs: 30_000 },
  });
  await service.ship("2");
});

afterEach(() => {
  const report = load.report();
  expect({ failed: report.failed, cut: report.cut, reasons: report.reasons }).toEqual({
    failed: 0,
    cut: 0,
    reasons: {},
  });
  expect(report.offered, "the load went on").toBeGreaterThan(offered);
  offered = report.offered;
});

afterAll(async () => {
  const { reasons, ...figures } = await load.stop();
  process.stderr.write(`  load: ${JSON.stringify(figures)} ${JSON.stringify(reasons)}\n`);
  await service?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

describe("under steady load no request is lost", () => {
  test("while five deployments go out, rollbacks among them", async () => {
    for (const turn of [1, 2, 3, 4, 5]) {
      const release = turn % 2 === 1 ? 1 : 2;
      await expectGood(await (release === 1 ? rollBack(1) : deploy(2)), release);
    }
    await expectGood(await deploy(2), 2);
  });

  test.each([
    ["starts", ["start", "probe"]],
    ["has swapped", ["drain", "watch", "verify", "stop"]],
  ])("while the server is killed when a rollout %s, and started again", async (_, phases) => {
    const id = await deploy(2);
    await inPhase(platform.client, id, phases);
    await platform.server.kill();
    await platform.restartServer();
    await expectGood(id, 2);
  });

  test("while the server is stopped in the middle of a rollout, and started again", async () => {
    const id = await rollBack(1);
    await inPhase(platform.client, id, ["start", "probe", "swap", "drain"]);
    await platform.server.stop();
    await platform.restartServer();
    await expectGood(id, 1);
  });

  test("while PostgreSQL is killed in the middle of a rollout", async () => {
    const id = await deploy(2);
    await inPhase(platform.client, id, ["start", "probe", "swap", "drain"]);
    process.kill(await platform.postgresPid(), "SIGKILL");
    await expectGood(id, 2);
  });

  test("while the agent is killed in the middle of a build, and started again", async () => {
    const commit = await service.push("3");
    await buildOf(platform.client, commit, ({ steps }) => steps.some(({ state }) => state === "running"));
    await platform.agent.kill();
    await platform.restartAgent();
    expect(await buildOf(platform.client, commit, finished, 600_000)).toMatchObject({ outcome: "passed" });
    expect(await service.ask()).toBe("200 3");
  });

  test("while a service goes out, and another comes, that ignores SIGTERM and closes every connection", async () => {
    await service.ship("rude 4");
    expect(await service.ask()).toBe("200 rude 4");
    await service.ship("5");
    expect(await service.ask()).toBe("200 5");
  });
});

test("a request that is still open when the drain time is over is cut, and the deployment says so", async () => {
  await using patient = await probeService(platform, "patient", { manifest: "release: { drain: 1s }\n" });
  await patient.ship("1");
  const open = openRequest(platform.httpPort, "patient.test.localhost");
  const build = await patient.ship("2");
  const { outcome, reason } = await patient.deploymentOf(build.commit);
  expect({ outcome, reason }).toEqual({
    outcome: "succeeded",
    reason: "1 open requests were cut off when the drain time was over",
  });
  expect(await open.answer).toMatch(/^(502|503|ECONNRESET|EPIPE)$/);
});

const deploy = (release: number) => startDeployment(platform.client, { ...place, release });
const rollBack = (release: number) => startRollback(platform.client, { ...place, release });

async function expectGood(id: string, release: number): Promise<void> {
  const { outcome, reason } = await deploymentOnce(platform.client, id);
  expect({ outcome, reason }).toEqual({ outcome: "succeeded", reason: null });
  expect(await service.ask()).toBe(`200 ${release}`);
  await until(async () => (await instancesOf(platform)).length === 2, { deadlineMs: 180_000 });
}
