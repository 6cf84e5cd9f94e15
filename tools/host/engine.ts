import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Say } from "./apt.ts";
import { lastWords, run } from "./process.ts";

/** Answers of the Docker Engine to "are you there?". */
export type EngineState =
  | { state: "running"; version: string }
  | { state: "forbidden"; said: string }
  | { state: "silent"; said: string };

const logPath = "/var/log/towline-dockerd.log";
const pidPath = "/run/towline-dockerd.pid";
const enginePidPath = "/var/run/docker.pid";
const keptLogBytes = 8 * 1024 * 1024;
const startDeadlineMs = 60_000;

/** Asks the engine that the `docker` command line would talk to (DOCKER_HOST and contexts count). */
export async function askEngine(): Promise<EngineState> {
  const answer = await run(["docker", "version", "--format", "{{.Server.Version}}"], { timeoutMs: 10_000 });
  if (answer.code === 0 && answer.stdout !== "") return { state: "running", version: answer.stdout };
  const said = answer.code === 124 ? "it did not answer within 10 s" : lastWords(answer, 2);
  return { state: /permission denied/i.test(said) ? "forbidden" : "silent", said };
}

/** How an engine is started here: by the manager that owns services, or by us where nothing else would. */
export function serviceManager(): readonly [string, ...string[]] | undefined {
  if (existsSync("/run/systemd/system")) return ["systemctl", "start", "docker"];
  if (existsSync("/run/openrc/softlevel")) return ["rc-service", "docker", "start"];
  if (firstProcess() === "init" && existsSync("/etc/init.d/docker")) return ["service", "docker", "start"];
  return undefined;
}

function firstProcess(): string {
  try {
    return readFileSync("/proc/1/comm", "utf8").trim();
  } catch {
    return "";
  }
}

/** Starts an engine that is installed and silent, and waits until it answers. Two starters at once are safe. */
export async function startEngine(dockerd: string, log: Say): Promise<undefined | Refusal> {
  const manager = serviceManager();
  const command = manager?.join(" ") ?? dockerd;
  if (process.getuid?.() !== 0)
    return refuse("host.docker-missing", "The Docker Engine does not run, and only root may start it.", {
      fix: `sudo ${command}`,
    });
  log(`The Docker Engine does not run: starting it (${command})`);
  return manager ? startByManager(manager) : startDetached(dockerd, log);
}

async function startByManager(command: readonly [string, ...string[]]): Promise<undefined | Refusal> {
  const answer = await run(command, { timeoutMs: startDeadlineMs });
  if (answer.code === 0 && (await answersWithin(startDeadlineMs))) return undefined;
  return refuse("host.docker-missing", `The Docker Engine did not start:\n${lastWords(answer)}`, {
    fix: `Run: ${command.join(" ")}, and look into its log.`,
  });
}

/**
 * The engine's own pid file is what makes two starters safe: the second engine ends at once, and both wait for the first.
 */
async function startDetached(dockerd: string, log: Say): Promise<undefined | Refusal> {
  const out = openLog();
  const child = spawn(dockerd, ["--log-level", "warn"], { detached: true, stdio: ["ignore", out, out], cwd: "/" });
  closeSync(out);
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  child.unref();
  const answered = await answersWithin(startDeadlineMs, () => ended && !engineProcessLives());
  if (!answered) return neverAnswered(dockerd);
  if (!ended) writeFileSync(pidPath, `${child.pid}\n`);
  log(`The Docker Engine runs (pid ${readFileSync(enginePidPath, "utf8").trim()}, log ${logPath})`);
  return undefined;
}

/** Appends, for two starters share it; one old file is kept when it has grown. */
function openLog(): number {
  if (existsSync(logPath) && statSync(logPath).size > keptLogBytes) renameSync(logPath, `${logPath}.1`);
  return openSync(logPath, "a");
}

function neverAnswered(dockerd: string): Refusal {
  const tail = readFileSync(logPath, "utf8").trimEnd().split("\n").slice(-12).join("\n");
  return refuse("host.docker-missing", `The Docker Engine did not start. The end of ${logPath}:\n${tail}`, {
    fix: `Start ${dockerd} by hand to see what it needs.`,
  });
}

function engineProcessLives(): boolean {
  try {
    process.kill(Number(readFileSync(enginePidPath, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

async function answersWithin(deadlineMs: number, hopeless: () => boolean = () => false): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  while (Date.now() < end) {
    if ((await askEngine()).state === "running") return true;
    if (hopeless()) return false;
    await sleep(200);
  }
  return false;
}
