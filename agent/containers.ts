/** The `docker` command line: arguments as arrays, output as it comes, everything ended by one signal. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { runAttached } from "#drivers/process/run-attached.ts";

const run = promisify(execFile);

export const agentLabel = "towline.agent";

/** What `docker` itself needs to find its engine, and nothing else of our environment. */
const passed = [
  "PATH",
  "HOME",
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_CERT_PATH",
  "DOCKER_TLS_VERIFY",
  "XDG_RUNTIME_DIR",
];

export interface DockerCall {
  args: readonly string[];
  env?: Record<string, string>;
  cwd?: string;
  signal: AbortSignal;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

/** Runs `docker …` to its end and answers its exit status. Aborting kills the client, which may leave a container: see `removeContainer`. */
export function docker({ args, env = {}, cwd, signal, onOutput }: DockerCall): Promise<number> {
  const base = Object.fromEntries(
    passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return runAttached({ command: "docker", args, env: { ...base, ...env }, signal, onOutput, ...(cwd ? { cwd } : {}) });
}

/** The standard output of a short `docker` command; throws when it fails. */
export async function ask(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run("docker", args, {
    timeout: 60_000,
    maxBuffer: 4 * 1024 * 1024,
    env: { ...process.env, ...env },
  });
  return stdout.trim();
}

/** Kills and removes a container; one that is gone is no error. */
export async function removeContainer(name: string): Promise<void> {
  await ask(["rm", "--force", "--volumes", name]).catch((error: Error) => {
    if (!/no such container/i.test(error.message)) throw error;
  });
}

/** Removes the containers of all jobs of an agent. */
export async function removeContainersOf(agent: string): Promise<void> {
  const ids = await ask(["ps", "--all", "--quiet", "--filter", `label=${agentLabel}=${agent}`]);
  if (ids) await ask(["rm", "--force", "--volumes", ...ids.split("\n")]);
}
