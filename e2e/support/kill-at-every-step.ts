/**
 * kill -9 of the server, of the agent or of PostgreSQL at every step of a build and of a deployment. The steps are whatever
 * the platform commits on the way: each push kills at the first step that was not killed at before, as often as new ones
 * come, and the pushes end when one goes through without meeting a new step. What one transaction commits is one step.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { visit } from "../../cli/demo/visitor.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "./checkout.ts";
import { type Checkpoints, listenToCheckpoints } from "./checkpoints.ts";
import { buildOf, finished, newService, setEnvironments } from "./fleet.ts";
import { instancesOf } from "./instances.ts";

type Victim = "server" | "agent" | "postgres";

const environment = "target: docker\nwatch: 500ms\n";
/** More pushes than steps would mean that the killing makes steps without end. */
const mostPushes = 40;

let platform: Platform;
let checkout: Checkout;
let checkpoints: Checkpoints;
let onCheckpoint: (name: string, transaction: string) => void = () => {};
let version = 0;

/** One file a victim, for the three to go side by side: each has a platform of its own. */
export function killAtEveryStep(victim: Victim): void {
  beforeAll(async () => {
    platform = await startPlatform();
    await setEnvironments(platform, { test: environment });
    checkout = await newService(platform, "probe");
    checkpoints = await listenToCheckpoints(platform.home, (...told) => onCheckpoint(...told));
    await pushNext();
  }, 900_000);

  afterAll(async () => {
    await checkpoints[Symbol.asyncDispose]();
    await checkout[Symbol.asyncDispose]();
    await platform[Symbol.asyncDispose]();
  }, 300_000);

  test(`kill -9 of ${victim} at every step ends in the right state: nothing lost, nothing run twice`, async () => {
    const killedAt = new Set<string>();
    let pushes = 0;
    while (pushes++ < mostPushes) {
      const before = killedAt.size;
      await pushWhileKilling(victim, killedAt);
      if (killedAt.size === before) break;
    }
    process.stderr.write(
      `  ${victim}: in ${pushes} pushes killed at ${killedAt.size} steps: ${[...killedAt].join(", ")}\n`,
    );
    expect(killedAt.size).toBeGreaterThan(5);
  }, 2_400_000);
}

async function pushWhileKilling(victim: Victim, killedAt: Set<string>): Promise<void> {
  let repairing: Promise<void> | undefined;
  let last: string | undefined;
  onCheckpoint = (name, transaction) => {
    if (killedAt.has(name) || !matters(victim, name)) return;
    if (repairing && transaction !== last) return;
    killedAt.add(name);
    last = transaction;
    if (repairing) return;
    repairing = killAndRestart(victim).finally(() => (repairing = undefined));
  };
  const commit = await pushNext();
  onCheckpoint = () => {};
  await repairing;
  await expectRightState(commit);
}

/** An agent holds something only while a job is its own. */
function matters(victim: Victim, name: string): boolean {
  return victim !== "agent" || name.startsWith("build_jobs");
}

async function killAndRestart(victim: Victim): Promise<void> {
  if (victim === "agent") {
    await platform.agent.kill();
    return platform.restartAgent();
  }
  if (victim === "server") {
    await platform.server.kill();
    return platform.restartServer();
  }
  process.kill(await platform.postgresPid(), "SIGKILL");
  await until(
    () =>
      checkpoints.reconnect().then(
        () => true,
        () => false,
      ),
    { deadlineMs: 180_000 },
  );
}

async function pushNext(): Promise<string> {
  version += 1;
  await checkout.write("version.txt", `${version}\n`);
  const commit = await checkout.commit(`Version ${version}`);
  // A push that a kill cut off is given again, as a person would: it lands once, or Git says that it is there.
  let refusal = "";
  const push = () =>
    checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/main").then(
      () => true,
      (error: unknown) => (refusal = String(error)) === "",
    );
  await until(push, { deadlineMs: 180_000, describe: () => refusal });
  await buildOf(platform.client, commit, finished, 600_000);
  return commit;
}

async function expectRightState(commit: string): Promise<void> {
  const { client } = platform;
  const build = await buildOf(client, commit, finished);
  expect(build.outcome, JSON.stringify(build.steps)).toBe("passed");
  for (const step of build.steps)
    expect(step.attempts.filter(({ outcome }) => outcome === "passed").length, step.key).toBeLessThanOrEqual(1);
  const { releases } = orThrow(await client.listReleases({ params: { service: "probe" }, query: {} }));
  expect(releases.filter((each) => each.commit === commit).length).toBe(1);
  const { deployments } = orThrow(await client.listDeployments({ query: { service: "probe" } }));
  const ours = deployments.filter((each) => each.commit === commit);
  expect(ours.map(({ outcome }) => outcome)).toEqual(["succeeded"]);
  await until(async () => (await instancesOf(platform)).length === 2, {
    deadlineMs: 180_000,
    describe: () => "more or fewer than two instances are left",
  });
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask()));
  expect(new Set(answers)).toEqual(new Set([`200 ${version}`]));
}

async function ask(): Promise<string> {
  const { status, body } = await visit(platform.httpPort, "probe.test.localhost", "/");
  return `${status} ${body}`;
}
