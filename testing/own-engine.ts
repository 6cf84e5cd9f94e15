/** A Docker Engine of the test's own, which it may stop: in a network namespace, so that bridges and rules of the machine stay what they are. */
import { type ChildProcess, type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { Readable, Writable } from "node:stream";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.ts";

const run = promisify(execFile);
const quick = { timeout: 60_000 };
/** Several may begin at once and share the processors. */
const patient = { timeout: 300_000 };

export interface OwnEngine extends AsyncDisposable {
  socketPath: string;
  /** Containers that run, in any state. */
  containers(): Promise<string[]>;
  networks(): Promise<string[]>;
  /** A process that has the engine's network: what it listens on at 127.0.0.1 the engine reaches. */
  inside(command: readonly string[]): ChildProcessByStdio<Writable, Readable, null>;
  /** Path of its network namespace. */
  network: string;
  start(): Promise<void>;
  /** As for an upgrade; returns when the process is gone. */
  stop(): Promise<void>;
  /** Ends the engine with all its containers at once, as a loss of power does. */
  kill(): Promise<void>;
}

/** Why this machine cannot have one, or undefined. */
export async function whyNoOwnEngine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "it takes root";
  const tools = await Promise.all(
    ["dockerd", "unshare", "nsenter", "ip"].map((tool) => run("which", [tool]).catch(() => tool)),
  );
  const missing = tools.filter((found) => typeof found === "string");
  return missing.length > 0 ? `there is no ${missing.join(", no ")}` : undefined;
}

export interface OwnEngineOptions {
  /** Containers outlive the engine. */
  liveRestore?: boolean;
  /** MiB of its disk, which is then one of its own. */
  room?: number;
  /** Name of the machine, as a swarm tells it; absent: that of this one. */
  name?: string;
  /** Networks whose registries it asks without TLS. */
  insecure?: string;
}

/** A machine of its own for networks and names, kept over restarts of its engine. */
async function openMachine(name: string | undefined) {
  // `cat` ends with its input, that is, with us.
  const set = `ip link set lo up && ${name === undefined ? "" : `hostname ${name} && `}echo up && exec cat`;
  const holder = spawn("unshare", ["--net", "--uts", "sh", "-c", set]);
  await once(holder.stdout, "data");
  const namespaces = `/proc/${holder.pid}/ns`;
  const network = `${namespaces}/net`;
  return { network, enter: [`--net=${network}`, `--uts=${namespaces}/uts`], end: () => holder.stdin.end() };
}

/** The images are there from the start. */
export async function openOwnEngine(
  images: readonly string[],
  { liveRestore = false, room, name, insecure }: OwnEngineOptions = {},
): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), "towline-own-engine-"));
  const socketPath = join(folder, "docker.sock");
  const machine = await openMachine(name);
  await mkdir(join(folder, "data"));
  if (room !== undefined) await run("mount", ["-t", "tmpfs", "-o", `size=${room}m`, "towline", join(folder, "data")]);
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
  const args = [
    ...["-H", `unix://${socketPath}`, ...places, "--pidfile", join(folder, "pid")],
    ...(liveRestore ? ["--live-restore"] : []),
    ...(insecure === undefined ? [] : ["--insecure-registry", insecure]),
  ];
  const docker = (...words: string[]) => run("docker", ["-H", `unix://${socketPath}`, ...words], quick);
  const lines = async (...words: string[]) => (await docker(...words)).stdout.split("\n").filter(Boolean);
  let engine: ChildProcess | undefined;
  let said = "";

  async function start(): Promise<void> {
    engine = spawn("nsenter", [...machine.enter, "dockerd", ...args], { stdio: ["ignore", "ignore", "pipe"] });
    engine.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said = (said + chunk).slice(-4_000)));
    const answers = async () => (await docker("version").catch(() => undefined)) !== undefined;
    await until(answers, { deadlineMs: patient.timeout, describe: () => said });
  }

  async function stop(): Promise<void> {
    engine?.kill("SIGTERM");
    await until(() => engine?.exitCode !== null || engine.signalCode !== null, { deadlineMs: 60_000 });
  }

  async function dispose(): Promise<void> {
    const left = await lines("ps", "--all", "--quiet").catch(() => []);
    if (left.length > 0) await docker("rm", "--force", ...left).catch(() => {});
    await stop();
    for (const pid of await processesOf(folder)) kill(pid);
    for (const mount of await mountsIn(folder)) await run("umount", ["--lazy", mount]).catch(() => {});
    machine.end();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  const load = 'socket=$1; shift; docker save "$@" | docker -H "unix://$socket" load';
  try {
    await start();
    if (images.length > 0) await run("/bin/sh", ["-c", load, "sh", socketPath, ...images], patient);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ...{ socketPath, network: machine.network, start, stop },
    kill: async () => {
      for (const pid of await withDescendants(await processesOf(folder))) kill(pid);
    },
    inside: (command) =>
      spawn("nsenter", [`--net=${machine.network}`, ...command], { stdio: ["pipe", "pipe", "inherit"] }),
    containers: () => lines("ps", "--all", "--format", "{{.Names}}"),
    networks: async () =>
      (await lines("network", "ls", "--format", "{{.Name}}")).filter((name) => name.startsWith("tw-")),
    [Symbol.asyncDispose]: dispose,
  };
}

/** What a killed engine leaves: its containerd, and the shims of its containers. They name the folder. */
async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      return command.includes(folder) || cwd.startsWith(folder) ? [Number(pid)] : [];
    }),
  );
  return found.flat().filter((pid) => pid !== process.pid);
}

/** Containers do not name the folder, but are children of what does. */
async function withDescendants(pids: readonly number[]): Promise<number[]> {
  const below = pids.map(async (pid) => {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    return withDescendants(text.split(" ").filter(Boolean).map(Number));
  });
  return [...new Set([...pids, ...(await Promise.all(below)).flat()])];
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

async function mountsIn(folder: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  return mounts.filter((path) => path.startsWith(folder)).toReversed();
}
