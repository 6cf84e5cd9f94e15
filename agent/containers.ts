/** One container that runs to its end, by the engine's API: no client process in between, and its environment in no argument. */
import { totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, EngineError } from "#drivers/engine/engine.ts";
import { unframed } from "#drivers/engine/output.ts";

export const agentLabel = "towline.agent";
/** The agent's machine and folder, by which others tell that it is gone for good. */
export const homeLabel = "towline.home";

/** On all that the jobs of an agent have in Docker. */
export type AgentLabels = Readonly<Record<typeof agentLabel | typeof homeLabel, string>>;

/** What one job's container may use of the machine. */
export interface JobLimits {
  /** Bytes, swap included; absent: all there is. */
  memory?: number | undefined;
  /** Cores, as 0.5; absent: all there are. */
  cpus?: number | undefined;
  processes: number;
}

/** Of the machine's memory, so that one job never takes it all along. */
const mostMemory = 0.75;

export const usualMemory = (): number => Math.floor(totalmem() * mostMemory);

export interface ContainerRun {
  name: string;
  /** By which its containers are found after a crash. */
  labels: AgentLabels;
  image: string;
  /** Program and arguments, in place of the image's own; with `ownProgram` that program's arguments. */
  command: readonly string[];
  ownProgram?: boolean;
  env: Readonly<Record<string, string>>;
  /** Working directory. */
  folder: string;
  /** `uid:gid`. */
  user: string;
  mounts: readonly { from: string; to: string; readOnly?: boolean }[];
  /** Name of the network; absent: none. */
  network?: string;
  limits: JobLimits;
  /** Kills and removes the container, and makes the run throw. */
  signal: AbortSignal;
  deadlineMs: number;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

export interface ContainerEnd {
  exitCode: number;
  outOfMemory: boolean;
  /** Id of its image. */
  image: string;
}

const quickMs = 60_000;

/**
 * Creates the container. Throws `EngineError`, 404 when the image is not here. From then on the signal kills and removes it
 * at once, even while nobody takes the output.
 */
export async function createContainer(engine: Engine, run: ContainerRun): Promise<void> {
  const { name, signal } = run;
  // Not cut off by the signal: what the engine has begun would be there without anybody knowing.
  const quick = { deadlineMs: quickMs };
  await engine.json({ method: "POST", path: "/containers/create", query: { name }, body: bodyOf(run) }, quick);
  removeWith(engine, run);
  signal.throwIfAborted();
}

function removeWith(engine: Engine, { name, signal }: ContainerRun): void {
  signal.addEventListener("abort", () => void removeContainer(engine, name).catch(() => {}), { once: true });
}

/** Starts a container that was created, and answers its output. */
export async function startContainer(
  engine: Engine,
  { name, signal, deadlineMs }: ContainerRun,
): Promise<AsyncIterable<Buffer>> {
  const query = { stream: true, stdout: true, stderr: true };
  const attach = { method: "POST" as const, path: `/containers/${name}/attach`, query };
  const output = await engine.open(attach, { signal, deadlineMs });
  await engine.json({ method: "POST", path: `/containers/${name}/start` }, { deadlineMs: quickMs });
  return unframed(output);
}

/** The output of a container that an earlier start of the agent began, from its first byte on; the signal as in `createContainer`. */
export async function* resumeContainer(engine: Engine, run: ContainerRun): AsyncIterable<Buffer> {
  removeWith(engine, run);
  run.signal.throwIfAborted();
  let seen = 0;
  for await (const bytes of await copyOf(engine, run, { follow: true })) {
    seen += bytes.length;
    yield bytes;
  }
  await waitFor(engine, run);
  // An engine that follows may stop before the last line, when that is written at the container's end.
  for await (const bytes of await copyOf(engine, run, { follow: false })) {
    yield bytes.subarray(Math.min(seen, bytes.length));
    seen -= Math.min(seen, bytes.length);
  }
}

/** The engine's copy of the output. */
async function copyOf(engine: Engine, run: ContainerRun, { follow }: { follow: boolean }) {
  const { name, signal, deadlineMs } = run;
  const query = { follow, stdout: true, stderr: true };
  return unframed(
    await engine.open({ method: "GET", path: `/containers/${name}/logs`, query }, { signal, deadlineMs }),
  );
}

async function waitFor(engine: Engine, { name, signal, deadlineMs }: ContainerRun): Promise<void> {
  await engine.json({ method: "POST", path: `/containers/${name}/wait` }, { signal, deadlineMs });
}

/** Creates, starts and follows. The caller removes it. */
export async function runContainer(engine: Engine, run: ContainerRun): Promise<ContainerEnd> {
  await createContainer(engine, run);
  return followContainer(engine, run, await startContainer(engine, run));
}

/** Passes the output on until the container has ended. */
export async function followContainer(
  engine: Engine,
  run: ContainerRun,
  output: AsyncIterable<Buffer>,
): Promise<ContainerEnd> {
  const { name, signal, onOutput } = run;
  for await (const bytes of output) await onOutput(bytes);
  // The end of the output is not enough: a command may close it and go on, and an engine that dies closes it too.
  await waitFor(engine, run);
  const inspect = { method: "GET" as const, path: `/containers/${name}/json` };
  const { State, Image } = await engine.json<Inspected>(inspect, { signal, deadlineMs: quickMs });
  return { exitCode: State.ExitCode, outOfMemory: State.OOMKilled, image: Image };
}

interface Inspected {
  Image: string;
  State: { ExitCode: number; OOMKilled: boolean };
}

/** What package managers, compilers and test runners need as root; not raw sockets, devices and the kernel's audit log. */
const capabilities = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE"],
  ...["SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];

/**
 * The engine's own copy of the output, from which an agent goes on that was killed; one in bytes, for `json-file` keeps only what is
 * UTF-8. It is larger than the longest log that is taken, but for floods of tiny lines.
 */
const outputCopy = { Type: "local", Config: { "max-size": "512m", "max-file": "1", compress: "false" } };

function bodyOf(run: ContainerRun): Record<string, unknown> {
  const { labels, image, command, ownProgram, env, folder, user, mounts, network, limits } = run;
  const [program, ...args] = command;
  return {
    Image: image,
    ...(ownProgram ? { Cmd: command } : { Entrypoint: [program], Cmd: args }),
    Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
    WorkingDir: folder,
    User: user,
    Labels: labels,
    HostConfig: {
      Mounts: mounts.map(({ from, to, readOnly = false }) => ({
        ...{ Type: "bind", Source: from, Target: to, ReadOnly: readOnly },
      })),
      // Takes in orphans, and lets SIGTERM reach a command that does not expect to be the first process.
      Init: true,
      PidsLimit: limits.processes,
      ...(limits.memory === undefined ? {} : { Memory: limits.memory, MemorySwap: limits.memory }),
      ...(limits.cpus === undefined ? {} : { NanoCpus: Math.round(limits.cpus * 1e9) }),
      SecurityOpt: ["no-new-privileges"],
      CapDrop: ["ALL"],
      CapAdd: capabilities,
      NetworkMode: network ?? "none",
      LogConfig: outputCopy,
    },
  };
}

/** Whether the container's file system has the file, running or not. */
export async function hasFile(engine: Engine, name: string, path: string): Promise<boolean> {
  const request = { method: "HEAD" as const, path: `/containers/${name}/archive`, query: { path } };
  return engine.json(request, { deadlineMs: quickMs }).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

/** Names and states (`created`, `running`, `exited` …) of the containers of an agent's jobs. */
export async function containersOf(engine: Engine, agent: string): Promise<Map<string, string>> {
  const filters = JSON.stringify({ label: [`${agentLabel}=${agent}`] });
  const request = { method: "GET" as const, path: "/containers/json", query: { all: true, filters } };
  const found = await engine.json<{ Names: string[]; State: string }[]>(request, { deadlineMs: quickMs });
  return new Map(found.map(({ Names, State }) => [Names[0]?.slice(1) ?? "", State]));
}

/** Kills and removes a container; one that is gone is no error. Returns when it is gone. */
export async function removeContainer(engine: Engine, name: string): Promise<void> {
  const request = { method: "DELETE" as const, path: `/containers/${name}`, query: { force: true, v: true } };
  const deadline = Date.now() + quickMs;
  for (;;) {
    try {
      return await engine.json(request, { deadlineMs: quickMs });
    } catch (error) {
      if (isMissing(error)) return;
      // Somebody else, perhaps this job's own signal, is removing it.
      const isConflict = error instanceof EngineError && error.status === 409;
      if (!isConflict || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** The engine knows no container, image or file of that name. */
export function isMissing(error: unknown): boolean {
  return error instanceof EngineError && error.status === 404;
}
