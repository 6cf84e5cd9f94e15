/** One container that runs to its end, by the engine's API: no client process in between, and its environment in no argument. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, EngineError } from "#drivers/engine/engine.ts";
import { unframed } from "#drivers/engine/output.ts";

export const agentLabel = "towline.agent";

export interface ContainerRun {
  name: string;
  /** Id of the agent, by which its containers are found after a crash. */
  agent: string;
  image: string;
  /** Program and arguments, in place of the image's own. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Working directory. */
  folder: string;
  /** `uid:gid`. */
  user: string;
  mounts: readonly { from: string; to: string; readOnly?: boolean }[];
  /** Kills and removes the container, and makes the run throw. */
  signal: AbortSignal;
  deadlineMs: number;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

export interface ContainerEnd {
  exitCode: number;
  outOfMemory: boolean;
}

const quickMs = 60_000;

/**
 * Creates and starts the container and answers its output. Throws `EngineError`, 404 when the image is not here. From then
 * on the signal kills and removes it at once, even while nobody takes the output.
 */
export async function startContainer(engine: Engine, run: ContainerRun): Promise<AsyncIterable<Buffer>> {
  const { name, signal, deadlineMs } = run;
  // Not cut off by the signal: what the engine has begun would be there without anybody knowing.
  const quick = { deadlineMs: quickMs };
  await engine.json({ method: "POST", path: "/containers/create", query: { name }, body: bodyOf(run) }, quick);
  signal.addEventListener("abort", () => void removeContainer(engine, name).catch(() => {}), { once: true });
  signal.throwIfAborted();
  const query = { stream: true, stdout: true, stderr: true };
  const attach = { method: "POST" as const, path: `/containers/${name}/attach`, query };
  const output = await engine.open(attach, { signal, deadlineMs });
  await engine.json({ method: "POST", path: `/containers/${name}/start` }, quick);
  return unframed(output);
}

/** Passes the output on until the container has ended. */
export async function followContainer(
  engine: Engine,
  { name, signal, deadlineMs, onOutput }: ContainerRun,
  output: AsyncIterable<Buffer>,
): Promise<ContainerEnd> {
  for await (const bytes of output) await onOutput(bytes);
  // The end of the output is not enough: a command may close it and go on, and an engine that dies closes it too.
  await engine.json({ method: "POST", path: `/containers/${name}/wait` }, { signal, deadlineMs });
  const inspect = { method: "GET" as const, path: `/containers/${name}/json` };
  const { State } = await engine.json<Inspected>(inspect, { signal, deadlineMs: quickMs });
  return { exitCode: State.ExitCode, outOfMemory: State.OOMKilled };
}

interface Inspected {
  State: { ExitCode: number; OOMKilled: boolean };
}

const mostProcesses = 4_096;

function bodyOf({ agent, image, command, env, folder, user, mounts }: ContainerRun): Record<string, unknown> {
  const [program, ...args] = command;
  return {
    Image: image,
    Entrypoint: [program],
    Cmd: args,
    Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
    WorkingDir: folder,
    User: user,
    Labels: { [agentLabel]: agent },
    HostConfig: {
      Mounts: mounts.map(({ from, to, readOnly = false }) => ({
        ...{ Type: "bind", Source: from, Target: to, ReadOnly: readOnly },
      })),
      // Takes in orphans, and lets SIGTERM reach a command that does not expect to be the first process.
      Init: true,
      PidsLimit: mostProcesses,
      SecurityOpt: ["no-new-privileges"],
      // The output goes to the server; a second copy here would only fill the disk.
      LogConfig: { Type: "none" },
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

/** Names of the containers of an agent's jobs. */
export async function containersOf(engine: Engine, agent: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [`${agentLabel}=${agent}`] });
  const request = { method: "GET" as const, path: "/containers/json", query: { all: true, filters } };
  const found = await engine.json<{ Id: string }[]>(request, { deadlineMs: quickMs });
  return found.map(({ Id }) => Id);
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
