/**
 * What the machine needs for a deployment anyway: a container from the same image with the same limits, in the same network, by `docker run`
 * until it answers that it is healthy.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { poolOf } from "#drivers/runtime/docker/addresses.ts";
import { createNames } from "#drivers/runtime/docker/names.ts";
import { mostProcesses, serviceCapabilities } from "#drivers/runtime/docker/spec.ts";
import type { Platform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";

const run = promisify(execFile);

export interface BareStart {
  image: string;
  count: number;
  /** As `docker run` takes it: `64m`. */
  memory: string;
}

/** Milliseconds until all of them have answered, in the network of the environment `test`. */
export async function bareStart({ home }: Platform, { image, count, memory }: BareStart): Promise<number> {
  const network = createNames((await readFile(join(home, "installation-id"), "utf8")).trim()).network("test");
  const addresses = await lastAddresses(network, count);
  const limits = ["--cpus", "0.5", "--memory", memory, "--memory-swap", memory, "--pids-limit", String(mostProcesses)];
  const rights = ["--security-opt", "no-new-privileges", "--cap-drop", "ALL"];
  const options = [
    ...["--detach", "--env", "PORT=8080", "--network", network, "--restart", "unless-stopped"],
    ...[...limits, ...rights, ...serviceCapabilities.flatMap((each) => ["--cap-add", each])],
    ...["--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3"],
  ];
  const ids: string[] = [];
  const began = performance.now();
  try {
    await Promise.all(
      addresses.map(async (address) => {
        const { stdout } = await run("docker", ["run", ...options, "--ip", address, image]);
        ids.push(stdout.trim());
        await until(() => isHealthy(address), { deadlineMs: 120_000 });
      }),
    );
    return performance.now() - began;
  } finally {
    if (ids.length > 0) await run("docker", ["rm", "--force", ...ids]);
  }
}

/** The last of the network, which the engine deals last. */
async function lastAddresses(network: string, count: number): Promise<string[]> {
  const format = "{{(index .IPAM.Config 0).Subnet}}";
  const { stdout } = await run("docker", ["network", "inspect", "--format", format, network]);
  const pool = poolOf(stdout.trim());
  if (!pool) throw new Error(`${network} has no subnet to choose addresses from`);
  return Array.from({ length: count }, (_, at) => {
    const address = pool.base + pool.size - 2 - at;
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
  });
}

function isHealthy(address: string): Promise<boolean> {
  return fetch(`http://${address}:8080/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}
