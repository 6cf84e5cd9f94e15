/**
 * Push and pull of a 100 MiB image, here and at Debian's `docker-registry`, side by side: by skopeo (layers compressed before), by
 * docker (whose own gzip takes most of a push), and by curl (one blob of the size). Each round is cold for both. Then what is there:
 * pushed again, mounted elsewhere, asked for two hundred times at once. Beside the medians stand the best of each (what is left when
 * nothing else disturbs) and the CPU time that the registries themselves took. Ours alone: the memory that large layers take, and the
 * same requests with few and with many repositories.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orThrow } from "#api/errors.ts";
import { findProgram } from "../tools/host/programs.ts";
import { installPackages } from "../tools/host/apt.ts";
import { prepareHost } from "../cli/prepare.ts";
import { cpuMs } from "./cpu.ts";
import { type BenchResult, median, round, say } from "./figures.ts";
import { curlClient, dockerClient, type RegistryUser, skopeoClient } from "./registry/clients.ts";
import { makeMaterial } from "./registry/material.ts";
import { measureLargeLayers, measureScale } from "./registry/scale.ts";
import { type Registry, startDebianRegistry, startOwnRegistry } from "./registry/registries.ts";

const rounds = 5;
/** At most: ratios of the medians, ours to Debian's. */
const aims: Record<string, number> = {
  push_ratio: 1,
  push_again_ratio: 1,
  mount_ratio: 1,
  heads_ratio: 1,
  curl_push_ratio: 1,
  curl_pull_ratio: 1.1,
  pull_ratio: 1.2,
  docker_push_ratio: 1.2,
  docker_pull_ratio: 1.2,
  // Of ours alone: what a request costs with many repositories to what it costs with few, and the server's memory under large layers.
  many_ratio: 1.5,
  memory_peak_mib: 250,
  memory_pull_peak_mib: 250,
};

interface Taken {
  ms: number;
  cpuMs: number;
}

type Times = Record<string, { ours: Taken[]; theirs: Taken[] }>;

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, []);
  await installMissing(["docker-registry", "skopeo"]);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "towline-bench-registry-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const material = stack.use(await makeMaterial(folder));
  const ours = stack.use(await startOwnRegistry());
  const theirs = stack.use(await startDebianRegistry(folder));
  const users = [
    skopeoClient(material, folder),
    await dockerClient(material, folder, [ours, theirs]),
    curlClient(material, folder),
  ];
  // First, for memory that other requests brought would count too.
  const memory = await measureLargeLayers(ours);
  const times: Times = {};
  for (let turn = 0; turn < rounds; turn++) {
    // Whoever comes second finds a warmer machine: so each comes first in turn.
    const order = turn % 2 === 0 ? ([ours, theirs] as const) : ([theirs, ours] as const);
    for (const user of users) for (const registry of order) await once(user, registry, times);
    say(`  round ${turn + 1} of ${rounds}`);
  }
  const figures = { ...memory, ...figuresOf(times), ...(await measureScale(ours)) };
  const missed = Object.entries(aims).filter(([name, aim]) => !((figures[name] ?? Infinity) <= aim));
  const named = missed.map(([name, aim]) => `${name} > ${aim}`).join(", ");
  return { bench: "registry", ok: missed.length === 0, figures: { ...figures, missed: named } };
}

async function installMissing(packages: string[]): Promise<void> {
  const found = await Promise.all(packages.map(findProgram));
  const missing = packages.filter((_, at) => found[at] === undefined);
  if (missing.length === 0) return;
  const wish = { packages: missing, missing: `${missing.join(" and ")} are missing`, log: say };
  const refused = await installPackages({ ...wish, code: "host.tool-missing" });
  if (refused) orThrow(refused);
}

async function once(user: RegistryUser, registry: Registry, times: Times): Promise<void> {
  await registry.empty();
  const timed = async (action: string, work: (registry: Registry) => Promise<void>) => {
    const [before, began] = [await cpuMs(registry.pid), performance.now()];
    await work(registry);
    const taken = { ms: performance.now() - began, cpuMs: (await cpuMs(registry.pid)) - before };
    const kept = (times[`${user.prefix}${action}`] ??= { ours: [], theirs: [] });
    kept[registry.side].push(taken);
  };
  await user.beforePush?.(registry);
  await timed("push", user.push);
  await user.beforePull?.(registry);
  await timed("pull", user.pull);
  for (const [action, work] of Object.entries(user.later ?? {})) await timed(action, work);
  await user.afterPull?.(registry);
}

function figuresOf(times: Times): Record<string, number> {
  return Object.fromEntries(
    Object.entries(times).flatMap(([name, { ours, theirs }]) => {
      const [own, other] = [ours, theirs].map((side) => side.map(({ ms }) => ms)) as [number[], number[]];
      return [
        [`${name}_ratio`, round(median(own) / median(other))],
        [`${name}_best_ratio`, round(Math.min(...own) / Math.min(...other))],
        [`${name}_ms`, round(median(own), 0)],
        [`${name}_debian_ms`, round(median(other), 0)],
        [`${name}_cpu_ms`, round(median(ours.map(({ cpuMs }) => cpuMs)), 0)],
        [`${name}_debian_cpu_ms`, round(median(theirs.map(({ cpuMs }) => cpuMs)), 0)],
      ];
    }),
  );
}
