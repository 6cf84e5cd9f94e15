/**
 * From "deploy" to "all traffic on the new release" for 1, 10 and 50 services at once, against as many bare `docker run` of the same
 * image until the first healthy answer of each: what the machine needs anyway. Each in turn, with warm images. And one on a swarm,
 * against `docker service update`.
 */
import { orThrow } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { seldomMs, until } from "#testing/until.ts";
import { prepareHost } from "../cli/prepare.ts";
import { checkoutOf } from "../e2e/support/checkout.ts";
import { buildOf, finished, setEnvironments } from "../e2e/support/fleet.ts";
import { bareStart } from "./deploy/bare.ts";
import { againstServiceUpdate } from "./deploy/swarm.ts";
import { type BenchResult, median, round, say } from "./figures.ts";

/** Services at once, and how often. */
const plan = [
  { services: 1, rounds: 5 },
  { services: 10, rounds: 3 },
  { services: 50, rounds: 3 },
] as const;
const most = Math.max(...plan.map(({ services }) => services));
/** Pushed side by side while the material is made. */
const pushesAtOnce = 5;
const aimOverMs = 1_000;
const aimRatio = 1.3;
const names = Array.from({ length: most }, (_, at) => `probe-${at + 1}`);

interface Pair {
  ours: number;
  bare: number;
}

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["haproxy", "debian", "node"]);
  const pairs = await onOneHost();
  return resultOf(pairs, await againstServiceUpdate());
}

async function onOneHost(): Promise<Map<number, Pair[]>> {
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await setEnvironments(platform, { test: "target: docker\nwatch: 0s\n" });
  const image = await makeReleases(platform);
  // What serves before is replaced, as it usually is; it also pulls every image once.
  for (let at = 0; at < most; at += 10) await deployAll(platform.client, names.slice(at, at + 10));
  const pairs = new Map<number, Pair[]>();
  for (const { services, rounds } of plan)
    for (let turn = 0; turn < rounds; turn++) {
      const pair = await once(platform, { image, services, bareFirst: turn % 2 === 1 });
      pairs.set(services, [...(pairs.get(services) ?? []), pair]);
      say(`  ${services} at once: ${Math.round(pair.ours)} ms, bare ${Math.round(pair.bare)} ms`);
    }
  return pairs;
}

/** One release of each service, all of the same content. Answers an image of them. */
async function makeReleases(platform: Platform): Promise<string> {
  const left = [...names];
  const work = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await makeRelease(platform, name);
  };
  await Promise.all(Array.from({ length: pushesAtOnce }, work));
  say(`  ${most} services have their release`);
  const { digest } = orThrow(await platform.client.showRelease({ params: { service: "probe-1", number: 1 } }));
  return `${new URL(platform.url).host}/probe-1@${digest}`;
}

async function makeRelease({ client, url, adminToken: token }: Platform, name: string): Promise<void> {
  orThrow(await client.createRepository({ body: { name, allowDirectPush: true } }));
  await using checkout = await checkoutOf("talker", { url, token, repository: name });
  const settings = "run: { cpu: 0.5, memory: 64Mi }\nrelease: { drain: 5s }";
  await checkout.write("towline.yml", `service: ${name}\nhttp: { port: 8080, health: /health }\n${settings}\n`);
  await checkout.write(".towline/pipeline.yml", "steps:\n  - publish: .\n");
  const build = await buildOf(client, await checkout.push("One"), finished, 600_000);
  if (build.outcome !== "passed") throw new Error(`the build of ${name} ended ${build.outcome}`);
}

interface Round {
  image: string;
  services: number;
  bareFirst: boolean;
}

async function once(platform: Platform, { image, services, bareFirst }: Round): Promise<Pair> {
  const start = () => bareStart(platform, { image, count: services, memory: "64m" });
  const bareBefore = bareFirst ? await start() : undefined;
  const ours = await deployAll(platform.client, names.slice(0, services));
  return { ours, bare: bareBefore ?? (await start()) };
}

/** Milliseconds from the first request until the traffic of the last service has moved. */
async function deployAll(client: Client, services: readonly string[]): Promise<number> {
  const began = Date.now();
  const ids = await Promise.all(
    services.map(async (service) => {
      const body = { service, environment: "test", release: 1 };
      return orThrow(await client.createDeployment({ body })).id;
    }),
  );
  const swapped: number[] = [];
  for (const id of ids) swapped.push(await swapOf(client, id));
  return Math.max(...swapped) - began;
}

async function swapOf(client: Client, id: string): Promise<number> {
  let at = "";
  await until(
    async () => {
      const { steps, state, outcome, reason } = orThrow(await client.showDeployment({ params: { id } }));
      at = steps.find(({ phase }) => phase === "swap")?.finishedAt ?? "";
      if (state === "finished" && outcome !== "succeeded") throw new Error(`a deployment ended ${outcome}: ${reason}`);
      return state === "finished";
    },
    // When it was is in the step; to look often would be work for a machine whose work is measured.
    { deadlineMs: 300_000, lookMs: seldomMs },
  );
  return Date.parse(at);
}

function resultOf(pairs: ReadonlyMap<number, Pair[]>, onSwarm: Record<string, number | string>): BenchResult {
  const figures: Record<string, number> = {};
  for (const [services, seen] of pairs) {
    const [ours, bare] = [median(seen.map((pair) => pair.ours)), median(seen.map((pair) => pair.bare))];
    figures[`services_${services}_ms`] = round(ours, 0);
    figures[`services_${services}_bare_ms`] = round(bare, 0);
    figures[`services_${services}_ratio`] = round(ours / bare);
  }
  const over = (figures["services_1_ms"] ?? Number.NaN) - (figures["services_1_bare_ms"] ?? Number.NaN);
  const ratio = figures[`services_${most}_ratio`] ?? Number.NaN;
  return {
    bench: "deploy",
    ok: over <= aimOverMs && ratio <= aimRatio,
    figures: { ...figures, over_ms: round(over, 0), aim_over_ms: aimOverMs, aim_ratio: aimRatio, ...onSwarm },
  };
}
