/**
 * Push → healthy in `test` for the example service `catalog`, against a shell script that runs the same Docker commands by hand on the
 * same machine, into the same registry. Both start with warm caches and a commit that changes one source file. They go first in
 * turn (A B B A …), and the medians are compared: what else the machine does falls on both alike.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isRefusal, orThrow } from "#api/errors.ts";
import { detectCompose } from "#drivers/compose/detect.ts";
import { freePort } from "#testing/free-port.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { type Checkout, checkoutOf } from "../e2e/support/checkout.ts";
import { setEnvironments } from "../e2e/support/fleet.ts";
import { prepareHost } from "../cli/prepare.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("by-hand/ship.sh", import.meta.url));
const example = fileURLToPath(new URL("../examples/catalog", import.meta.url));
const rounds = 8;
const aim = 1.25;

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await setEnvironments(platform, { test: "target: docker\nwatch: 0s\n" });
  await using ours = await openOurs(platform);
  await using theirs = await openByHand(platform);
  await ours.ship(0);
  await theirs.ship(0);
  const pairs: Pair[] = [];
  for (let turn = 1; turn <= rounds; turn++) {
    const pair = turn % 2 === 1 ? await inOrder(ours, theirs, turn) : flip(await inOrder(theirs, ours, turn));
    pairs.push(pair);
    say(
      `  round ${turn}: Towline ${pair.ours.total} ms, by hand ${pair.theirs.total} ms, ratio ${round(pair.ours.total / pair.theirs.total)}`,
    );
  }
  printSteps(
    "Towline",
    pairs.map((pair) => pair.ours),
  );
  printSteps(
    "by hand",
    pairs.map((pair) => pair.theirs),
  );
  const ratios = pairs.map((pair) => pair.ours.total / pair.theirs.total);
  const totals = {
    towline_ms: median(pairs.map((pair) => pair.ours.total)),
    by_hand_ms: median(pairs.map((pair) => pair.theirs.total)),
  };
  const ratio = round(totals.towline_ms / totals.by_hand_ms);
  const spread = quantile(ratios, 0.75) - quantile(ratios, 0.25);
  const figures = {
    ratio,
    aim_ratio: aim,
    ratio_of_pairs: round(median(ratios)),
    ratio_spread: round(spread),
    ...totals,
  };
  return { bench: "pipeline", ok: ratio <= aim, figures };
}

interface Pair {
  ours: Timeline;
  theirs: Timeline;
}

async function inOrder(first: Shipper, second: Shipper, turn: number): Promise<Pair> {
  return { ours: await first.ship(turn), theirs: await second.ship(turn) };
}

const flip = ({ ours, theirs }: Pair): Pair => ({ ours: theirs, theirs: ours });

interface Shipper extends AsyncDisposable {
  ship(turn: number): Promise<Timeline>;
}

/** A commit that changes what the image holds, as real ones do. */
async function change(folder: string, turn: number): Promise<void> {
  await writeFile(join(folder, "src/turn.js"), `export const turn = ${turn};\n`);
}

async function openOurs({ url, adminToken, client }: Platform): Promise<Shipper> {
  orThrow(await client.createRepository({ body: { name: "catalog", allowDirectPush: true } }));
  const checkout: Checkout = await checkoutOf("fleet", { url, token: adminToken, repository: "catalog" });
  await cp(example, checkout.folder, { recursive: true });
  await checkout.write(".towline/pipeline.yml", pipeline);
  return {
    async ship(turn) {
      await change(checkout.folder, turn);
      const pushed = Date.now();
      const commit = await checkout.push(`Turn ${turn}`);
      return timelineOf(client, { service: "catalog", commit, pushed });
    },
    [Symbol.asyncDispose]: () => checkout[Symbol.asyncDispose](),
  };
}

/** As the example's own, to the environment `test`. */
const pipeline = `steps:
  - { label: unit, test: { compose: compose.test.yml, run: unit } }
  - { label: integration, test: { compose: compose.test.yml, run: integration } }
  - wait
  - publish: .
  - deploy: test
`;

async function openByHand({ url, adminToken }: Platform): Promise<Shipper> {
  const folder = await mkdtemp(join(tmpdir(), "towline-by-hand-"));
  const registry = new URL(url).host;
  const port = await freePort();
  const name = `towline-by-hand-${process.pid}`;
  const env = { ...process.env, DOCKER_CONFIG: join(folder, "docker"), GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", ...args], {
      cwd: join(folder, "checkout"),
      env,
    });
  await cp(example, join(folder, "checkout"), { recursive: true });
  await git("init", "--quiet", "--initial-branch=main");
  await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", join(folder, "origin.git")]);
  await run("docker", ["login", "--username", "dev", "--password", adminToken, registry], { env });
  const compose = await detectCompose();
  if (isRefusal(compose)) throw new Error(compose.message);
  return {
    async ship(turn) {
      await change(join(folder, "checkout"), turn);
      const pushed = Date.now();
      await git("add", "--all");
      await git("commit", "--quiet", "--message", `Turn ${turn}`);
      await git("push", "--quiet", join(folder, "origin.git"), "main");
      const afterPush = Date.now();
      const image = `${registry}/by-hand:${turn}`;
      const { stdout } = await run(
        script,
        [join(folder, "origin.git"), name, image, String(port), [compose.command, ...compose.args].join(" ")],
        { env, timeout: 300_000 },
      );
      const steps = stdout
        .trim()
        .split("\n")
        .map((line): [string, number] => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]);
      return { total: Date.now() - pushed, steps: [["git push", afterPush - pushed], ...steps] };
    },
    async [Symbol.asyncDispose]() {
      const { stdout } = await run("docker", ["ps", "--all", "--quiet", "--filter", `name=^/${name}-`]);
      if (stdout.trim()) await run("docker", ["rm", "--force", ...stdout.trim().split("\n")]);
      await removeImages([`${name}*`, `${registry}/by-hand`]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Those that the script built, and nobody else's. */
async function removeImages(references: string[]): Promise<void> {
  const filters = references.flatMap((reference) => ["--filter", `reference=${reference}`]);
  const { stdout } = await run("docker", ["images", ...filters, "--format", "{{.Repository}}:{{.Tag}}"]);
  const images = stdout.split("\n").filter((image) => image && !image.includes("<none>"));
  if (images.length > 0) await run("docker", ["rmi", "--force", ...images]);
}

function printSteps(title: string, timelines: Timeline[]): void {
  const names = [...new Set(timelines.flatMap(({ steps }) => steps.map(([name]) => name)))];
  say(`\n  ${title}: median milliseconds of each step`);
  for (const name of names) {
    const values = timelines.flatMap(({ steps }) => steps.filter(([each]) => each === name).map(([, ms]) => ms));
    say(`    ${name.padEnd(24)} ${String(Math.round(median(values))).padStart(6)}`);
  }
}
