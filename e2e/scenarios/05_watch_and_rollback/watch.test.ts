import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { startLoad } from "#testing/load.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { ask, openRequest } from "../../support/ask.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { deploymentOnce, ended, inPhase, startDeployment } from "../../support/deployments.ts";
import { setEnvironments } from "../../support/fleet.ts";
import { instancesOf } from "../../support/instances.ts";
import { probeService, type Service } from "../../support/service.ts";

const run = promisify(execFile);
const place = { service: "probe", environment: "test" };
const host = "probe.test.localhost";
const instances = "run: { cpu: 0.5, memory: 128Mi, instances: 2 }\n";

let platform: Platform;
let terminal: CommandLine;
let service: Service;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  await watchFor("500ms");
  service = await probeService(platform, "probe", { manifest: `${instances}release: { drain: 2m }\n`, deploy: [] });
  for (const version of ["1", "2", "bad 3", "crash 4", "silent 5"]) await service.ship(version);
  await until(async () => (await releases()).length === 5);
  for (const release of [1, 2]) await expectServes(await deploy(release), release);
});

afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

describe("while a release is watched", () => {
  beforeAll(() => watchFor("20s"));

  test("errors under traffic bring the one before back; the reason has the figures", async () => {
    const before = await instancesOf(platform);
    await using load = startLoad({ url: `http://127.0.0.1:${platform.httpPort}`, host, rate: 40 });
    const { outcome, reason, steps } = await deploymentOnce(platform.client, await deploy(3));
    expect(outcome).toBe("rolled-back");
    const [, errors = "0", requests = "0"] = /^(\d+) of (\d+) requests failed \(\d+(\.\d)? %/.exec(reason ?? "") ?? [];
    expect(Number(errors), reason ?? "").toBeGreaterThanOrEqual(3);
    expect(Number(requests)).toBeGreaterThanOrEqual(Number(errors));
    expect(steps.map(({ phase }) => phase).slice(-4)).toEqual(["restore", "return", "withdraw", "remove"]);
    expect((await instancesOf(platform)).toSorted()).toEqual(before.toSorted());
    const { failed, reasons, cut } = load.report();
    const { failed: still } = await load.stop();
    expect(still, "nothing fails once it is rolled back").toBe(failed);
    expect({ cut, kinds: Object.keys(reasons).filter((each) => !each.endsWith("status 500")) }).toEqual({
      cut: 0,
      kinds: [],
    });
    expect(await service.ask()).toBe("200 2");
  });

  test("an instance that crashes brings the one before back; the reason has its last words", async () => {
    const id = await deploy(4);
    await inPhase(platform.client, id, ["watch"]);
    await ask(platform.httpPort, host, "/crash").catch(() => "cut off");
    const { outcome, reason } = await deploymentOnce(platform.client, id);
    expect(outcome, reason ?? "").toBe("rolled-back");
    expect(reason).toMatch(/^probe-test-r4-\w+-\d: it exited( with exit code 7)? and was started again\n/);
    expect(reason).toContain("version crash 4");
    expect(await service.ask()).toBe("200 2");
  });

  test("the status says how the last deployment ended", async () => {
    const { stdout } = await terminal.run("status");
    expect(stdout).toMatch(/probe +#2 /);
    expect(stdout).toMatch(/! probe in test: deployment of release 4 was rolled back: probe-test-r4-.*it exited/);
  });
});

describe("a deployment that is canceled", () => {
  test.each([
    ["while it probes", 5, "probe"],
    ["while it is watched", 2, "watch"],
  ])("%s goes back to what served, by its old instances", async (_, release, phase) => {
    const before = await instancesOf(platform);
    const id = await deploy(release);
    await inPhase(platform.client, id, [phase]);
    orThrow(await platform.client.cancelDeployment({ params: { id } }));
    expect(await deploymentOnce(platform.client, id)).toMatchObject({
      outcome: "canceled",
      reason: "canceled by admin",
    });
    expect((await instancesOf(platform)).toSorted()).toEqual(before.toSorted());
    expect(await service.ask()).toBe("200 2");
  });

  test("while old requests drain lets them end", async () => {
    const open = openRequest(platform.httpPort, host);
    const id = await deploy(2);
    await inPhase(platform.client, id, ["drain"]);
    orThrow(await platform.client.cancelDeployment({ params: { id } }));
    open.end();
    expect(await open.answer).toBe("200");
    expect(await deploymentOnce(platform.client, id)).toMatchObject({ outcome: "canceled" });
  });

  test("while it waits for another never starts; one that has ended cannot be canceled", async () => {
    const first = await deploy(5);
    await inPhase(platform.client, first, ["probe"]);
    const second = await deploy(5);
    const waiting = await deploymentOnce(platform.client, second, ({ wait }) => wait?.kind === "deployment");
    expect(waiting.wait).toMatchObject({ deployment: first, message: "release 5 goes first" });
    orThrow(await platform.client.cancelDeployment({ params: { id: second } }));
    expect(await deploymentOnce(platform.client, second)).toMatchObject({ outcome: "canceled", steps: [] });
    orThrow(await platform.client.cancelDeployment({ params: { id: first } }));
    await deploymentOnce(platform.client, first, ended);
    expect(await platform.client.cancelDeployment({ params: { id: first } })).toMatchObject({
      refused: "deployment.wrong-state",
    });
  });
});

describe("going back", () => {
  beforeAll(() => watchFor("500ms"));

  test("an older release is refused as a deployment, with the command that helps, which then works", async () => {
    const refused = await terminal.run("deploy", "probe", "test", "--release", "1", "--yes", "--json");
    expect(refused.code).toBe(1);
    expect(refused.json()).toMatchObject({ error: { code: "deployment.superseded" } });
    const help = "towline rollback probe test --release 1";
    expect(refused.stderr).toContain(help);
    const { code, stdout, stderr } = await terminal.run(...help.split(" ").slice(1), "--yes");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("✓ probe in test: rollback to release 1 succeeded");
    expect(await service.ask()).toBe("200 1");
  });

  test("works without the registry's blobs, and the next push brings them again", async () => {
    const blobs = join(platform.home, "blobs", "sha256");
    for (const name of await readdir(blobs)) await rm(join(blobs, name), { recursive: true });
    await expectServes(await deploy(2), 2);
    const back = await terminal.run("rollback", "probe", "test", "--yes", "--json");
    expect(back.code, back.stderr).toBe(0);
    expect(back.json()).toMatchObject({ kind: "rollback", release: 1, outcome: "succeeded" });

    await forgetImageOf(2);
    const { outcome, reason } = await deploymentOnce(platform.client, await deploy(2));
    expect(outcome, "an image that is nowhere cannot be deployed").toBe("failed");
    expect(reason).toContain("probe");
    expect(await service.ask()).toBe("200 1");

    const { commit } = await service.ship("6");
    // The release is made right after the build has ended.
    await until(async () => (await releases()).some((each) => each.commit === commit));
    await expectServes(await deploy(6), 6);
  });
});

describe("a canary", () => {
  test("that answers later than the release before at the same time is taken back, and no request is lost", async () => {
    const manifest = `${instances}release: { drain: 5s, strategy: canary, steps: [50%, 10m], analysis: { requests: 10 } }\n`;
    await service.checkout.write("towline.yml", `service: probe\nhttp: { port: 8080, health: /health }\n${manifest}`);
    const { commit } = await service.ship("late 7");
    await until(async () => (await releases()).some((each) => each.commit === commit));
    const before = await instancesOf(platform);
    await using load = startLoad({ url: `http://127.0.0.1:${platform.httpPort}`, host, rate: 40 });
    const { outcome, reason, steps } = await deploymentOnce(platform.client, await deploy(7));
    expect({ outcome, reason }).toEqual({
      outcome: "rolled-back",
      reason: expect.stringMatching(/^p95 \d{4} ms against \d+ ms of release 6, \d+ requests$/),
    });
    expect(steps.map(({ phase }) => phase)).toContain("observe");
    expect((await instancesOf(platform)).toSorted()).toEqual(before.toSorted());
    expect((await load.stop()).reasons).toEqual({});
  });
});

const releases = async () => orThrow(await platform.client.listReleases({ params: { service: "probe" } })).releases;
const deploy = (release: number) => startDeployment(platform.client, { ...place, release });

async function watchFor(time: string): Promise<void> {
  await setEnvironments(platform, { test: `target: docker\nwatch: ${time}\n` });
}

async function expectServes(id: string, release: number): Promise<void> {
  expect(await deploymentOnce(platform.client, id)).toMatchObject({ outcome: "succeeded", reason: null });
  expect(await service.ask()).toBe(`200 ${release}`);
  await until(async () => (await instancesOf(platform)).length === 2, { deadlineMs: 180_000 });
}

/** Takes an image from the Docker Engine, by all its names. */
async function forgetImageOf(number: number): Promise<void> {
  const { digest, commit } = orThrow(await platform.client.showRelease({ params: { service: "probe", number } }));
  const repository = `${new URL(platform.url).host}/probe`;
  for (const name of [`${repository}:${commit}`, `${repository}@${digest}`])
    await run("docker", ["image", "rm", "--force", name]).catch(() => undefined);
}
