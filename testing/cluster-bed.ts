/** Three engines on this machine, each in a network of its own, as one swarm; and a cable from this machine to it. */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";
import { openOwnEngine, type OwnEngine } from "./own-engine.ts";

const run = promisify(execFile);
const quick = { timeout: 60_000 };

export interface Machine extends OwnEngine {
  /** As the swarm calls it: `machine-1`. */
  name: string;
  /** In the network of the cluster. */
  address: string;
  /** What its engine says. */
  docker(...words: string[]): Promise<string>;
  /** Nobody hears from it any more, and it says no word of goodbye. */
  unplug(): Promise<void>;
}

export interface ClusterBed extends AsyncDisposable {
  /** The first manages the swarm. */
  machines: readonly Machine[];
  /** Of this machine, as the cluster reaches it. */
  address: string;
}

export interface ClusterOptions {
  /** Images that the first machine has from the start. */
  images: readonly string[];
  /** Images that all of them have. */
  everywhere?: readonly string[];
  /** Seconds between two signs of life; the swarm takes a machine for lost after three that are missing. Its own: 5. */
  heartbeat?: number;
}

const bridge = "cluster";

export async function openClusterBed({ images, everywhere = [], heartbeat = 5 }: ClusterOptions): Promise<ClusterBed> {
  await using stack = new AsyncDisposableStack();
  // Beside others on this machine.
  const subnet = `10.77.${randomInt(1, 255)}`;
  const opened = await Promise.allSettled(
    [1, 2, 3].map((number) =>
      openOwnEngine([...(number === 1 ? images : []), ...everywhere], {
        ...{ name: `machine-${number}`, insecure: `${subnet}.0/24` },
      }),
    ),
  );
  stack.defer(async () => {
    await Promise.all(
      opened.map(async (each) => each.status === "fulfilled" && (await each.value[Symbol.asyncDispose]())),
    );
  });
  const machines = opened.map((each, index): Machine => {
    if (each.status === "rejected") throw each.reason;
    const docker = async (...words: string[]) =>
      (await run("docker", ["-H", `unix://${each.value.socketPath}`, ...words], quick)).stdout.trim();
    const unplug = async () => void (await inside(each.value, "ip", "link", "set", bridge, "down"));
    return { ...each.value, name: `machine-${index + 1}`, address: `${subnet}.${index + 1}`, docker, unplug };
  });
  const [manager, ...workers] = machines as [Machine, ...Machine[]];
  const cable = `tw${randomInt(0x1000000).toString(16)}`;
  stack.defer(async () => void (await run("ip", ["link", "del", cable], quick).catch(() => {})));
  await layCables(machines, { here: `${subnet}.254`, cable });
  const own = ["--advertise-addr", manager.address, "--listen-addr", `${manager.address}:2377`];
  await manager.docker("swarm", "init", ...own, "--dispatcher-heartbeat", `${heartbeat}s`);
  const token = await manager.docker("swarm", "join-token", "-q", "worker");
  for (const { docker, address } of workers)
    await docker("swarm", "join", "--token", token, "--advertise-addr", address, `${manager.address}:2377`);
  const kept = stack.move();
  return {
    ...{ machines, address: `${subnet}.254` },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function inside({ network }: OwnEngine, ...words: string[]) {
  return run("nsenter", [`--net=${network}`, ...words], quick);
}

/** One bridge in the network of the first machine, to which the others and this one have a cable each. */
async function layCables(
  machines: readonly Machine[],
  { here, cable }: { here: string; cable: string },
): Promise<void> {
  const [first, ...others] = machines as [Machine, ...Machine[]];
  const up = async (machine: Machine) => {
    await inside(machine, "ip", "addr", "add", `${machine.address}/24`, "dev", bridge);
    await inside(machine, "ip", "link", "set", bridge, "up");
  };
  await inside(first, "ip", "link", "add", bridge, "type", "bridge");
  await up(first);
  await inside(first, "iptables", "-I", "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT");
  for (const [index, machine] of others.entries()) {
    const port = `port${index}`;
    await inside(first, "ip", "link", "add", port, "type", "veth", "peer", "name", bridge, "netns", pidOf(machine));
    await inside(first, "ip", "link", "set", port, "master", bridge, "up");
    await up(machine);
  }
  await run("ip", ["link", "add", cable, "type", "veth", "peer", "name", "here", "netns", pidOf(first)], quick);
  await inside(first, "ip", "link", "set", "here", "master", bridge, "up");
  await run("ip", ["addr", "add", `${here}/24`, "dev", cable], quick);
  await run("ip", ["link", "set", cable, "up"], quick);
}

/** `ip` names a network by a process that is in it. */
function pidOf({ network }: Machine): string {
  return /^\/proc\/(\d+)\//.exec(network)?.[1] ?? "";
}
