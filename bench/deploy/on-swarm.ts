/**
 * "deploy" on a swarm of one machine, against `docker service update` of a service that is reached at a port of the machine: both in
 * turn, each until the first answer of the new version after which no old one comes. Runs beside an engine of its own, in its network
 * (`DOCKER_HOST`), so that the engine of the machine stays what it is; its last line is the figures as JSON.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { isRefusal, orThrow } from "#api/errors.ts";
import { freePort } from "#testing/free-port.ts";
import { startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { deploymentOnce, startDeployment, startRollback } from "../../e2e/support/deployments.ts";
import { setEnvironments } from "../../e2e/support/fleet.ts";
import { probeService } from "../../e2e/support/service.ts";
import { median, round, say } from "../figures.ts";

const rounds = 5;
const manifest = "run: { cpu: 0.5, memory: 64Mi }\nrelease: { drain: 5s }\n";
const [service, byHand] = ["probe", "by-hand"];
const docker = async (...words: string[]) => (await promisify(execFile)("docker", words)).stdout.trim();

await docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377");
await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
const { client, url } = platform;
await setEnvironments(platform, { test: "target: swarm\nwatch: 0s\n" });
const images = await makeReleases();
const port = await freePort();
await deploy(1);
await deploy(2);
await deploy(1, startRollback);
await createByHand();
const [ours, updates, said, silent]: number[][] = [[], [], [], []];
for (let turn = 0; turn < rounds; turn++) {
  const release = turn % 2 === 0 ? 2 : 1;
  const took = await deploy(release, release === 1 ? startRollback : startDeployment);
  const update = await updateByHand(release);
  say(`  on a swarm: ${took} ms, docker service update ${update.ms} ms (${update.silentMs} ms without an answer)`);
  ours?.push(took);
  updates?.push(update.ms);
  said?.push(update.saidMs);
  silent?.push(update.silentMs);
}
await docker("service", "rm", byHand);
const middle = (values: number[] = []) => round(median(values), 0);
process.stdout.write(
  `${JSON.stringify({
    swarm_ms: middle(ours),
    service_update_ms: middle(updates),
    service_update_said_ms: middle(said),
    service_update_silent_ms: middle(silent),
    swarm_ratio: round(middle(ours) / middle(updates)),
  })}\n`,
);

/** Images of both releases, by their number. */
async function makeReleases(): Promise<Map<number, string>> {
  await using probe = await probeService(platform, service, { manifest, deploy: [], like: "talker" });
  const made = new Map<number, string>();
  for (const number of [1, 2]) {
    await probe.ship(String(number));
    // The release follows its build by a moment.
    const asked = { params: { service, number } };
    await until(async () => !isRefusal(await client.showRelease(asked)));
    made.set(number, `${new URL(url).host}/${service}@${orThrow(await client.showRelease(asked)).digest}`);
  }
  return made;
}

/** A rollback is the same work. */
async function deploy(release: number, start: typeof startDeployment = startDeployment): Promise<number> {
  const began = Date.now();
  const id = await start(client, { service, environment: "test", release });
  const { steps, outcome, reason } = await deploymentOnce(client, id);
  if (outcome !== "succeeded") throw new Error(`the deployment of release ${release} ended ${outcome}: ${reason}`);
  return Date.parse(steps.findLast(({ phase }) => phase === "swap")?.finishedAt ?? "") - began;
}

async function createByHand(): Promise<void> {
  await docker("network", "create", "--driver", "overlay", byHand);
  // Without the kernel's load balancer, which not every host has.
  const reached = ["--endpoint-mode", "dnsrr", "--publish", `mode=host,target=8080,published=${port}`];
  const limits = ["--limit-cpu", "0.5", "--limit-memory", String(64 * 2 ** 20), "--env", "PORT=8080"];
  const words = ["--name", byHand, "--network", byHand, "--no-resolve-image", "--detach=false"];
  await docker("service", "create", ...words, ...reached, ...limits, images.get(1) ?? "");
  await until(async () => (await answer()) === "1");
}

/** `saidMs`: until the command returned. `silentMs`: nobody answered. */
async function updateByHand(release: number): Promise<{ ms: number; saidMs: number; silentMs: number }> {
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const words = ["--detach=false", "--no-resolve-image", "--image", images.get(release) ?? "", byHand];
  const updated = docker("service", "update", ...words).then(since);
  let lastOld = 0;
  for (;;) {
    const seen = await answer();
    if (seen === String(release)) break;
    if (seen !== undefined) lastOld = since();
    if (since() > 120_000) throw new Error(`release ${release} does not answer by hand`);
    await sleep(10);
  }
  const ms = since();
  return { ms, silentMs: ms - lastOld, saidMs: await updated };
}

/** Its version. */
function answer(): Promise<string | undefined> {
  const asked = fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) });
  return asked.then((found) => found.text()).catch(() => undefined);
}
