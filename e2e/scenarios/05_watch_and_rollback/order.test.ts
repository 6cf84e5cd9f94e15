import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { brokerClient } from "#testing/broker.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "../../support/checkout.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { type Deployment, deploymentOnce, inPhase, startDeployment } from "../../support/deployments.ts";
import { buildOf, finished, newService, setEnvironments } from "../../support/fleet.ts";
import { instancesOf } from "../../support/instances.ts";
import { probeService, type Service } from "../../support/service.ts";

const run = promisify(execFile);
const usual = "run: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s }\n";
/** A migration that lasts until the test says that it is done. */
const patient = `[perl, -e, "select undef, undef, undef, 0.05 until -e '/tmp/go'"]`;

let platform: Platform;
let terminal: CommandLine;
let service: Service;
/** A provider and its consumer. */
let stock: Checkout;
let shop: Checkout;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
  service = await probeService(platform, "probe", { manifest: usual });
  await service.ship("1");
});

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await stock?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

test("while one release goes out, of two newer ones only the newest follows; the older is superseded and says by which", async () => {
  const second = await pushMigrating("2");
  const holding = await deploymentFor(second, ({ phase }) => phase === "migrate");

  const third = await pushPlain("3");
  const waiting = await deploymentFor(third, ({ wait }) => wait?.kind === "deployment");
  expect(waiting.wait).toMatchObject({ deployment: holding.id, message: "release 2 goes first" });
  expect((await terminal.run("status")).stdout).toContain("… probe in test: release 3 waits: release 2 goes first");
  const step = deployStepOf(await buildOf(platform.client, third, ({ steps }) => steps.some(isRequested)));
  expect(step.waits.map(({ text }) => text)).toEqual(["for the deployment to test"]);

  const fourth = await pushPlain("4");
  await deploymentFor(fourth, ({ wait }) => wait?.kind === "deployment");
  const overtaken = await deploymentFor(third, ({ state }) => state === "finished");
  expect(overtaken).toMatchObject({
    outcome: "superseded",
    reason: "release 4, of a newer commit, is about to be deployed",
    steps: [],
  });
  const build = await buildOf(platform.client, third, finished);
  expect(deployStepOf(build)).toMatchObject({ outcome: "superseded", reason: overtaken.reason });

  await endMigration(holding.id);
  for (const commit of [second, fourth])
    expect(await deploymentFor(commit, ({ state }) => state === "finished")).toMatchObject({ outcome: "succeeded" });
  expect(await service.ask()).toBe("200 4");
  await until(async () => (await instancesOf(platform)).length === 1, { deadlineMs: 180_000 });
});

test("two pushes right after each other end with the newer one, whichever build is done first", async () => {
  const commits = [await pushPlain("5"), await pushPlain("6")];
  const builds = await Promise.all(commits.map((commit) => buildOf(platform.client, commit, finished)));
  expect(["passed", "superseded"]).toContain(deployStepOf(builds[0]).outcome);
  expect(deployStepOf(builds[1]).outcome).toBe("passed");
  expect(await service.ask()).toBe("200 6");
});

test("a build that was overtaken can be built again, and is refused truthfully", async () => {
  const { builds } = orThrow(await platform.client.listBuilds({ query: { repository: "probe" } }));
  const old = builds.find(({ message }) => message?.startsWith("Version 4"));
  const again = orThrow(
    await platform.client.createBuild({ body: { repository: "probe", branch: "main", commit: old?.commit ?? "" } }),
  );
  const build = await buildOf(platform.client, again.commit, (each) => each.number === again.number && finished(each));
  expect(deployStepOf(build)).toMatchObject({ outcome: "superseded" });
  expect(deployStepOf(build).reason).toMatch(/^release \d, of a newer commit, serves already$/);
  expect(await service.ask()).toBe("200 6");
});

test("a canceled migration is ended and removed, and what served serves on", async () => {
  const commit = await pushMigrating("7");
  const { id } = await deploymentFor(commit, ({ phase }) => phase === "migrate");
  orThrow(await platform.client.cancelDeployment({ params: { id } }));
  expect(await deploymentOnce(platform.client, id)).toMatchObject({ outcome: "canceled", reason: "canceled by admin" });
  expect(await service.ask()).toBe("200 6");
  // One that Docker was about to make when it was called off is removed when it is there.
  await until(async () => {
    const { stdout } = await run("docker", ["ps", "--all", "--quiet", "--filter", `name=${id.slice(0, 8)}`]);
    return stdout === "";
  });
});

test("`towline build cancel` calls off the deployment that the build asked for", async () => {
  const commit = await pushMigrating("8");
  const { id } = await deploymentFor(commit, ({ phase }) => phase === "migrate");
  const canceled = await terminal.run("build", "cancel", "probe");
  expect(canceled.code, canceled.stderr).toBe(0);
  expect(await deploymentOnce(platform.client, id)).toMatchObject({ outcome: "canceled" });
  expect(await buildOf(platform.client, commit, finished)).toMatchObject({ outcome: "canceled" });
  expect(await service.ask()).toBe("200 6");
});

test("a rollback goes before what waits", async () => {
  const place = { service: "probe", environment: "test" };
  const commit = await pushMigrating("9");
  const first = await deploymentFor(commit, ({ phase }) => phase === "migrate");
  const next = await startDeployment(platform.client, { ...place, release: first.release ?? 0 });
  const back = orThrow(await platform.client.rollBack({ body: { ...place, release: 4 } }));
  await deploymentOnce(platform.client, next, ({ wait }) => wait?.kind === "order");
  await endMigration(first.id);
  expect(await deploymentOnce(platform.client, back.id)).toMatchObject({ outcome: "succeeded", release: 4 });
  await inPhase(platform.client, next, ["migrate"]);
  orThrow(await platform.client.cancelDeployment({ params: { id: next } }));
  await deploymentOnce(platform.client, next);
  expect(await service.ask()).toBe("200 4");
});

test("a breaking change of a provider stands at the gate of production, with consumer, interaction and field; mended it goes", async () => {
  await setEnvironments(platform, {
    test: "target: docker\nwatch: 500ms\ncontracts: advisory\n",
    production: "target: docker\nafter: test\nwatch: 500ms\n",
  });
  stock = await contractService("stock", "verify: pacts");
  await stock.write("version.txt", JSON.stringify({ count: 3 }));
  expect(await buildOf(platform.client, await stock.push("Version 1"), finished)).toMatchObject({ outcome: "passed" });

  shop = await contractService("shop", 'pacts: "asks/*.json"');
  await mkdir(join(shop.folder, "asks"));
  await shop.write("asks/stock.json", asking({ count: 1 }));
  // What stock serves has never heard of this: it verifies it now, by itself.
  expect(await buildOf(platform.client, await shop.push("Version 1"), finished)).toMatchObject({ outcome: "passed" });
  expect((await deploymentIn("shop", "production")).outcome).toBe("succeeded");
  const { builds } = orThrow(await platform.client.listBuilds({ query: { repository: "stock", branch: "contracts" } }));
  expect(builds).toMatchObject([{ source: "contract", outcome: "passed" }]);

  await stock.write("version.txt", JSON.stringify({ count: "many" }));
  await stock.push("Version 2");
  const waiting = await deploymentIn(
    "stock",
    "production",
    ({ release, wait }) => release === 2 && wait?.kind === "gate",
  );
  expect(waiting.wait?.message).toMatch(
    /stock \w{10} does not keep its contract with shop \w{10}: how much is there: \$\.count: expected 1, got "many"/,
  );
  const plan = await terminal.run("deploy", "stock", "production", "--release", "2", "--plan");
  expect(plan.stdout).toContain('how much is there: $.count: expected 1, got "many"');

  await stock.write("version.txt", JSON.stringify({ count: 4, left: "many" }));
  expect(await buildOf(platform.client, await stock.push("Version 3"), finished)).toMatchObject({ outcome: "passed" });
  expect(
    await deploymentIn("stock", "production", ({ release, state }) => release === 3 && state === "finished"),
  ).toMatchObject({ outcome: "succeeded" });
});

test("a changed contract is verified by itself, against what serves in production too, and goes there because of that", async () => {
  const served = await stock.git("rev-parse", "HEAD");
  // The newest of its provider would not keep it, but goes no further than test.
  const pipeline = await readFile(join(stock.folder, ".towline/pipeline.yml"), "utf8");
  await stock.write(".towline/pipeline.yml", pipeline.replace("  - deploy: production\n", ""));
  await stock.write("version.txt", JSON.stringify({ count: 5 }));
  const newest = await stock.push("Version 4");
  expect(await buildOf(platform.client, newest, finished)).toMatchObject({ outcome: "passed" });

  await shop.write("asks/stock.json", asking({ count: 1, left: "some" }));
  const changed = await shop.push("Version 2");
  expect(await buildOf(platform.client, changed, finished)).toMatchObject({ outcome: "passed" });
  expect(await deploymentIn("shop", "production")).toMatchObject({ commit: changed, outcome: "succeeded" });

  const verified = async (commit: string) => {
    const { builds } = orThrow(
      await platform.client.listBuilds({ query: { repository: "stock", branch: "contracts" } }),
    );
    return builds.filter((each) => each.commit === commit).map(({ source, outcome }) => ({ source, outcome }));
  };
  expect(await verified(served)).toEqual([{ source: "contract", outcome: "passed" }]);
  await until(async () => (await verified(newest))[0]?.outcome === "passed", { deadlineMs: 120_000 });
  const question = `q[][pacticipant]=shop&q[][version]=${changed}&q[][pacticipant]=stock`;
  const { body } = await brokerClient(`${platform.url}/pact`, `Bearer ${platform.adminToken}`)(
    "GET",
    `/matrix?${question}`,
  );
  const rows = body.matrix as { provider: { version: { number: string } }; verificationResult: { success: boolean } }[];
  const kept = rows.map(({ provider, verificationResult }) => [provider.version.number, verificationResult.success]);
  expect(Object.fromEntries(kept)).toEqual({ [served]: true, [newest]: false });
});

function asking(body: object): string {
  const response = { status: 200, body, matchingRules: { "$.body": { match: "type" } } };
  const interactions = [{ description: "how much is there", request: { method: "GET", path: "/stock" }, response }];
  return JSON.stringify({ consumer: { name: "shop" }, provider: { name: "stock" }, interactions });
}

/** A service whose tests say something of contracts, by the verifier of the example fleet; it answers with its version. */
async function contractService(name: string, says: string): Promise<Checkout> {
  const checkout = await newService(platform, "probe", name);
  await checkout.write("towline.yml", `service: ${name}\nhttp: { port: 8080, health: /health }\n${usual}`);
  await checkout.write("verify.js", await readFile(verifier, "utf8"));
  await checkout.write("version.txt", "{}");
  await checkout.write(
    "compose.test.yml",
    `services:
  contracts:
    image: towline/base-node:24
    user: root
    working_dir: /app
    volumes: ["./:/app", "./version.txt:/version.txt"]
    environment: { PORT: 8080 }
    command: [sh, -c, "perl server.pl & until perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(q(127.0.0.1:8080))'; do sleep 0.05; done; exec node verify.js http://127.0.0.1:8080"]
`,
  );
  const test = `  - test: { compose: compose.test.yml, run: contracts, ${says} }\n  - wait\n`;
  const rest =
    "  - publish: .\n    if: build.branch == pipeline.default_branch\n  - deploy: test\n  - deploy: production\n";
  await checkout.write(".towline/pipeline.yml", `steps:\n${test}${rest}`);
  return checkout;
}

const verifier = fileURLToPath(new URL("../../../examples/catalog/test/contracts/verify.js", import.meta.url));

async function deploymentIn(
  service: string,
  environment: string,
  holds: (deployment: Deployment) => boolean = ({ state }) => state === "finished",
) {
  let found: Deployment | undefined;
  await until(
    async () => {
      const { deployments } = orThrow(await platform.client.listDeployments({ query: { service, environment } }));
      const newest =
        deployments[0] && orThrow(await platform.client.showDeployment({ params: { id: deployments[0].id } }));
      found = newest && holds(newest) ? newest : undefined;
      return found !== undefined;
    },
    { deadlineMs: 120_000, describe: () => `${service} in ${environment}` },
  );
  return found as Deployment;
}

async function pushPlain(version: string): Promise<string> {
  await service.checkout.write("towline.yml", manifestWith(usual));
  return service.push(version);
}

async function pushMigrating(version: string): Promise<string> {
  await service.checkout.write(
    "towline.yml",
    manifestWith(usual.replace("drain: 1s", `drain: 1s, migrate: ${patient}`)),
  );
  return service.push(version);
}

function manifestWith(lines: string): string {
  return `service: probe\nhttp: { port: 8080, health: /health }\n${lines}`;
}

/** The deployment of a commit, once there is one for which `holds`. */
async function deploymentFor(commit: string, holds: (deployment: Deployment) => boolean): Promise<Deployment> {
  let id: string | undefined;
  await until(
    async () => {
      const { deployments } = orThrow(await platform.client.listDeployments({ query: { service: "probe" } }));
      id = deployments.find((each) => each.commit === commit)?.id;
      return id !== undefined;
    },
    { deadlineMs: 300_000 },
  );
  return deploymentOnce(platform.client, id ?? "", holds);
}

async function endMigration(deployment: string): Promise<void> {
  const filter = `name=${deployment.slice(0, 8)}-migrate`;
  await until(async () => {
    const { stdout } = await run("docker", ["ps", "--quiet", "--filter", filter]);
    if (stdout === "") return false;
    await run("docker", ["exec", stdout.trim(), "perl", "-e", "open my $file, q(>), q(/tmp/go) or die"]);
    return true;
  });
}

function deployStepOf(build: { steps: StepView[] } | undefined): StepView {
  const step = build?.steps.find(({ kind }) => kind === "deploy");
  if (!step) throw new Error("the build has no deploy step");
  return step;
}

const isRequested = ({ kind, state }: StepView) => kind === "deploy" && state === "requested";
