import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type ComposeClient, detectCompose } from "#drivers/compose/detect.ts";
import { available, canInstall, installPackages, refreshLists, type Say } from "./apt.ts";
import { askEngine, startEngine } from "./engine.ts";
import { ensureGit } from "./git.ts";
import { findProgram } from "./programs.ts";
import { isConfirmed } from "./prompt.ts";

export interface EnsureDockerOptions {
  /** Install and start without a question. */
  assumeYes: boolean;
  /** A person at a terminal can be asked. */
  interactive: boolean;
  log: Say;
}

/** What the machine has to run containers. */
export interface DockerReady {
  engine: { version: string };
  compose: ComposeClient;
}

/**
 * Makes sure of Docker Engine, Compose and Git: looks, installs with apt where it may, starts the engine where nothing
 * else would. Never touches an engine that runs. Refusals: `host.docker-missing`, `host.compose-missing`,
 * `host.tool-missing`, each with the command to give.
 */
export async function ensureDocker(options: EnsureDockerOptions): Promise<DockerReady | Refusal> {
  const git = await ensureGit(wishes(options));
  if (isRefusal(git)) return git;
  const version = await ensureEngine(options);
  if (isRefusal(version)) return version;
  const compose = await ensureCompose(options);
  if (isRefusal(compose)) return compose;
  return { engine: { version }, compose };
}

async function ensureEngine(options: EnsureDockerOptions): Promise<string | Refusal> {
  const first = await askEngine();
  if (first.state === "running") return first.version;
  if (first.state === "forbidden") return forbidden(first.said);
  const elsewhere = process.env["DOCKER_HOST"];
  if (elsewhere)
    return refuse("host.docker-missing", `DOCKER_HOST is ${elsewhere}, and does not answer: ${first.said}`);
  const installed = await ensureInstalled(options);
  if (isRefusal(installed)) return installed;
  // Installing may have started it already.
  const second = await askEngine();
  if (second.state === "running") return second.version;
  const refused = await startEngine(installed, options.log);
  if (refused) return refused;
  const third = await askEngine();
  return third.state === "running" ? third.version : refuse("host.docker-missing", third.said);
}

function forbidden(said: string): Refusal {
  return refuse("host.docker-missing", `The Docker Engine runs, but not for you: ${said}`, {
    fix: "sudo usermod -aG docker $USER, then log in again; or use sudo.",
  });
}

/** Path of `dockerd`, which is installed with its client where one of them is missing: neither works alone. */
async function ensureInstalled(options: EnsureDockerOptions): Promise<string | Refusal> {
  const found = await findProgram("dockerd");
  if (found && (await findProgram("docker"))) return found;
  // Newer Debian releases put the client into a package of its own; older ones do not know that name.
  if (await canInstall()) await refreshLists(options.log);
  const client = await available(["docker-cli"]);
  const refused = await installPackages({
    packages: ["docker.io", ...client, "docker-compose", "iptables"],
    missing: "The Docker Engine is missing",
    code: "host.docker-missing",
    ...wishes(options),
  });
  if (refused) return refused;
  return (await findProgram("dockerd")) ?? refuse("host.docker-missing", "docker.io is installed, but has no dockerd.");
}

async function ensureCompose(options: EnsureDockerOptions): Promise<ComposeClient | Refusal> {
  const found = await detectCompose();
  if (!isRefusal(found)) return found;
  const refused = await installPackages({
    packages: ["docker-compose"],
    missing: "Docker Compose is missing",
    code: "host.compose-missing",
    ...wishes(options),
  });
  return refused ?? detectCompose();
}

function wishes({ assumeYes, interactive, log }: EnsureDockerOptions) {
  if (assumeYes) return { log };
  return { log, confirm: interactive ? isConfirmed : () => Promise.resolve(false) };
}
