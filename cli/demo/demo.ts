/** `towline demo`: the whole flow on the example fleet, on a platform of its own. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { type Client, createClient } from "#client/client.ts";
import { renderStatus } from "../commands/status.ts";
import { removeInstallation } from "../commands/uninstall.ts";
import { accepted, paint, print, printJson, tell } from "../output.ts";
import { startPlatform, type UpPlatform } from "../platform.ts";
import { ask, prepareHost } from "../prepare.ts";
import { untilSignal } from "../signals.ts";
import { choosePort } from "./choose-port.ts";
import { followBuilds } from "./progress.ts";
import { pushChange, pushExample, pushFleet, type Workshop } from "./repositories.ts";
import { createStopwatch } from "./stopwatch.ts";
import { keepVisiting, visit } from "./visitor.ts";

export interface DemoFlags {
  yes?: boolean;
  exit?: boolean;
  json?: boolean;
}

const services = ["catalog", "orders", "storefront", "legacy-billing"] as const;
const home = fileURLToPath(new URL("../../.towline/demo", import.meta.url));
const fleetFiles = fileURLToPath(new URL("fleet", import.meta.url));
const buildDeadlineMs = 15 * 60_000;

export async function runDemo(flags: DemoFlags): Promise<void> {
  const watch = createStopwatch();
  heading("Preparing this machine: Docker, base images");
  await watch.time("prepare", () => prepareHost(flags, ["haproxy", "debian", "node", "python", "postgres"]));
  await removeInstallation(home, tell);
  const { platform, httpPort } = await watch.time("start", startOwnPlatform);
  try {
    const demo = await createDemo({ platform, httpPort, watch, flags });
    await play(demo);
    await report(demo);
    if (!flags.exit) await untilSignal();
  } finally {
    tell(
      flags.exit
        ? "stopping, and removing all that the demo made"
        : "stopping; the fleet goes on serving. `towline demo --exit` begins anew and cleans up",
    );
    await platform[Symbol.asyncDispose]();
    if (flags.exit) await removeInstallation(home, tell);
  }
}

async function startOwnPlatform(): Promise<{ platform: UpPlatform; httpPort: number }> {
  heading("Starting the platform in a folder and on ports of its own");
  await mkdir(home, { recursive: true });
  const [port, httpPort] = [await choosePort(7300), await choosePort(8300)];
  const platform = await startPlatform({
    TOWLINE_HOME: home,
    TOWLINE_PORT: String(port),
    TOWLINE_HTTP_PORT: String(httpPort),
    TOWLINE_LOG_LEVEL: "warn",
  });
  tell(`  server ${platform.url}, services at http://<service>.<environment>.localhost:${httpPort}`);
  return { platform, httpPort };
}

interface Demo {
  client: Client;
  /** A second person: authors do not approve their own pull requests. */
  reviewer: Client;
  workshop: Workshop;
  httpPort: number;
  watch: ReturnType<typeof createStopwatch>;
  flags: DemoFlags;
}

async function createDemo({
  platform,
  ...rest
}: Pick<Demo, "httpPort" | "watch" | "flags"> & { platform: UpPlatform }): Promise<Demo> {
  const { url, adminToken: token } = platform;
  if (!token) throw new Error("the demo's platform was not new");
  const client = createClient({ url, token });
  accepted(await client.createUser({ body: { name: "rita", role: "lead" } }));
  const { secret } = accepted(await client.createToken({ body: { name: "demo", user: "rita" } }));
  return {
    client,
    reviewer: createClient({ url, token: secret }),
    workshop: { folder: join(home, "workshop"), url, token },
    ...rest,
  };
}

async function play(demo: Demo): Promise<void> {
  await demo.watch.time("first-push", () => pushFleetAndServices(demo));
  await demo.watch.time("pull-request", () => shipFeature(demo));
  await demo.watch.time("production", () => pressTheButton(demo));
  await demo.watch.time("bad-release", () => shipBrokenRelease(demo));
}

async function pushFleetAndServices({ client, workshop }: Demo): Promise<void> {
  heading("git push: four services, from tests in Compose to the environment `test`");
  await pushFleet(workshop, fleetFiles);
  for (const name of services) {
    accepted(await client.createRepository({ body: { name, allowDirectPush: true } }));
    await pushExample(workshop, name);
    accepted(await client.changeRepository({ params: { repository: name }, body: { allowDirectPush: false } }));
  }
  const builds = await followBuilds({
    client,
    builds: services.map((repository) => ({ repository, number: 1 })),
    until: atGate,
    deadlineMs: buildDeadlineMs,
  });
  requireState(builds, atGate);
}

async function shipFeature(demo: Demo): Promise<void> {
  heading("A pull request: discounts in the catalog");
  await mergeChange(demo, {
    service: "catalog",
    overlay: "catalog-discount",
    branch: "discounts",
    message: "Discounts for some products",
  });
  const [build] = await followBuilds({
    client: demo.client,
    builds: [await newestOfMain(demo.client, "catalog")],
    until: atGate,
    deadlineMs: buildDeadlineMs,
  });
  requireState(build ? [build] : [], atGate);
  const { body } = await visit(demo.httpPort, "catalog.test.localhost", "/products");
  if (!body.includes("discount")) throw new Error(`the discount is not live in test: ${body.slice(0, 500)}`);
  tell(`  ${paint("green", "✓", process.stderr)} live in test: the catalog answers with discounts`);
}

/** Pushes a branch, opens a pull request, waits for its build, has it approved by somebody else, merges. */
async function mergeChange(
  { client, reviewer, workshop }: Demo,
  change: Parameters<typeof pushChange>[1],
): Promise<void> {
  const repository = change.service;
  await pushChange(workshop, change);
  const { number } = accepted(
    await client.openPullRequest({ params: { repository }, body: { branch: change.branch, title: change.message } }),
  );
  tell(`  pull request #${number} of ${repository}: ${change.message}`);
  const build = await newestOf(client, repository, change.branch);
  const finished = await followBuilds({
    client,
    builds: [build],
    until: ({ state }) => state === "finished",
    deadlineMs: buildDeadlineMs,
  });
  requireState(finished, ({ outcome }) => outcome === "passed");
  accepted(await reviewer.approvePullRequest({ params: { repository, number }, body: {} }));
  accepted(await client.mergePullRequest({ params: { repository, number } }));
  tell(`  ${paint("green", "✓", process.stderr)} approved by rita, merged`);
}

async function pressTheButton({ client, flags }: Demo): Promise<void> {
  heading("Deploy to production");
  if (!flags.yes && !(await ask("Press the button for all four services?", true))) return;
  const waiting = await Promise.all(services.map((service) => newestOfMain(client, service)));
  for (const { id } of waiting) accepted(await client.unblockStep({ params: { id }, body: {} }));
  const builds = await followBuilds({
    client,
    builds: waiting,
    until: ({ state }) => state === "finished",
    deadlineMs: buildDeadlineMs,
  });
  requireState(builds, ({ outcome }) => outcome === "passed");
}

/** Every test passes, and production has not the variable that the release needs: the watch sends it back. */
async function shipBrokenRelease(demo: Demo): Promise<void> {
  const { client, httpPort } = demo;
  heading("A release that breaks: its tests pass, production lacks a variable");
  await mergeChange(demo, {
    service: "catalog",
    overlay: "catalog-broken",
    branch: "tax-rates",
    message: "Tax rates by country",
  });
  const newest = await newestOfMain(client, "catalog");
  requireState(await followBuilds({ client, builds: [newest], until: atGate, deadlineMs: buildDeadlineMs }), atGate);
  const leaving = new AbortController();
  const visits = keepVisiting(httpPort, { host: "catalog.production.localhost", path: "/products" }, leaving.signal);
  accepted(await client.unblockStep({ params: { id: newest.id }, body: {} }));
  const builds = await followBuilds({
    client,
    builds: [newest],
    until: ({ state }) => state === "finished",
    deadlineMs: buildDeadlineMs,
  });
  leaving.abort();
  const { sent, failed } = await visits;
  requireState(builds, ({ outcome }) => outcome === "failed");
  const { deployments } = accepted(
    await client.listDeployments({ query: { service: "catalog", environment: "production", limit: 1 } }),
  );
  if (deployments[0]?.outcome !== "rolled-back")
    throw new Error(`the bad release ended as ${deployments[0]?.outcome}, not rolled back`);
  tell(`  ${paint("green", "✓", process.stderr)} rolled back by itself: ${deployments[0].reason}`);
  tell(`  ${failed} of ${sent} requests met the bad release before traffic went back`);
}

async function report({ client, httpPort, workshop, watch, flags }: Demo): Promise<void> {
  const rows = await untilHealthy(client);
  heading("The fleet");
  const status = accepted(await client.getStatus({}));
  (flags.json ? tell : print)(renderStatus(status));
  tell(
    `\n  storefront  http://storefront.production.localhost:${httpPort}/\n  catalog     http://catalog.test.localhost:${httpPort}/products`,
  );
  tell(`  towline --url ${workshop.url} --token ${workshop.token} status`);
  if (flags.json) printJson({ ok: rows.every(({ healthy }) => healthy), services: rows, timings: watch.timings() });
}

/** Instances of a service that was just rolled out may still be counted; what does not come right in time is reported as it is. */
async function untilHealthy(client: Client) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { services: found } = accepted(await client.getStatus({}));
    const rows = found.flatMap(({ service, cells }) =>
      cells.map(({ environment, release, digest, url, healthy }) => ({
        service,
        environment,
        release,
        digest,
        url,
        healthy: healthy ?? false,
      })),
    );
    if (rows.every(({ healthy }) => healthy) || Date.now() > deadline) return rows;
    await sleep(500);
  }
}

const newestOfMain = (client: Client, repository: string) => newestOf(client, repository, "main");

/** The newest build of the branch's newest commit, which may come a moment after the push. */
async function newestOf(
  client: Client,
  repository: string,
  branch: string,
): Promise<{ id: string; repository: string; number: number }> {
  const { branches } = accepted(await client.listBranches({ params: { repository } }));
  const commit = branches.find(({ name }) => name === branch)?.revision;
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { builds } = accepted(await client.listBuilds({ query: { repository, branch, commit, limit: 1 } }));
    if (builds[0]) return builds[0];
    if (Date.now() > deadline) throw new Error(`no build of ${repository} ${branch} began`);
    await sleep(100);
  }
}

const atGate = ({ state }: BuildDetails) => state === "blocked";

function requireState(builds: BuildDetails[], holds: (build: BuildDetails) => boolean): void {
  const wrong = builds.find((build) => !holds(build));
  if (!wrong) return;
  const failed = wrong.steps.find(({ outcome }) => outcome !== null && outcome !== "passed" && outcome !== "skipped");
  throw new Error(
    `build #${wrong.number} of ${wrong.repository} is ${wrong.outcome ?? wrong.state}: ${wrong.fault?.message ?? failed?.reason ?? failed?.label ?? ""}`,
  );
}

function heading(text: string): void {
  tell(`\n${paint("bold", text, process.stderr)}`);
}
