import type { Assignment } from "#api/endpoints/agent.ts";
import { runAttached } from "#drivers/process/run-attached.ts";
import { patienceMs, withRetries } from "./passing.ts";

/** Git for one purpose: whose token it uses, what ends it, who reads its output. */
export interface Git {
  /** Throws `GitFailure` when Git fails. */
  run(args: readonly string[]): Promise<void>;
  /** As `run`, for what asks a server: tried again while that is away, minutes for Towline's own and seconds for another. */
  ask(args: readonly string[]): Promise<void>;
}

export interface GitOptions {
  /** Address of the server; the credentials go nowhere else. Absent: there is none, and they are of no use. */
  url: string | undefined;
  credentials: Assignment["credentials"];
  signal: AbortSignal;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

/** Git's last line is the message. */
export class GitFailure extends Error {
  /** The way to the server or the server itself, not what is on this disk. */
  readonly isRemote: boolean;
  readonly said: string;
  constructor(said: string) {
    super(`git: ${said.trim().split("\n").at(-1) ?? ""}`);
    this.name = "GitFailure";
    this.said = said;
    this.isRemote = remote.test(said);
  }
}

const remote = /unable to access|RPC failed|hung up|early EOF|not our ref/i;
/** What another try would not mend. */
const hopeless = /returned error: 4\d\d|not our ref/;
/** Another one's name may be wrong. */
const foreignPatienceMs = 15_000;

export function createGit({ url, credentials, signal, onOutput }: GitOptions): Git {
  const env = environment(url, credentials);

  async function run(args: readonly string[]): Promise<void> {
    let said = "";
    const code = await runAttached({
      ...{ command: "git", args, env, signal },
      onOutput: (bytes) => {
        said = (said + bytes.toString()).slice(-2_000);
        return onOutput(bytes);
      },
    });
    if (code !== 0) throw new GitFailure(said || `exit status ${code}`);
  }

  function patienceWith(error: unknown): number {
    if (!(error instanceof GitFailure) || !error.isRemote || hopeless.test(error.said)) return 0;
    return url !== undefined && error.said.includes(new URL(url).origin) ? patienceMs : foreignPatienceMs;
  }

  const ask: Git["ask"] = (args) => withRetries(() => run(args), { signal, patienceWith });

  return { run, ask };
}

function environment(url: string | undefined, { user, password }: Assignment["credentials"]): Record<string, string> {
  const header = `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const settings = {
    // For the server alone: a submodule may lead anywhere. By the environment, for everybody can read arguments.
    ...(url === undefined ? {} : { [`http.${new URL(url).origin}/.extraHeader`]: header }),
    "safe.directory": "*",
    "gc.autoDetach": "false",
    "advice.detachedHead": "false",
    // A connection on which nothing moves for a minute is given up.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
  };
  const entries = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    // Neither files of this machine nor programs of its own may a submodule's address name.
    GIT_ALLOW_PROTOCOL: "http:https",
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    ...Object.fromEntries(entries),
  };
}
