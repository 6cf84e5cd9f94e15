/** The socket of HAProxy's master process, which passes commands on to the processes that serve. */
import { open } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BalancerError } from "../contract.ts";
import {
  parseInfo,
  parseProcesses,
  parseServers,
  parseStats,
  type Processes,
  type ServerState,
  type StatLine,
} from "./parse.ts";

export interface Master {
  /** Processes now; waits for a balancer that is just starting. */
  processes(signal: AbortSignal): Promise<Processes>;
  reload(signal: AbortSignal): Promise<void>;
  /** Commands to one process, in order; those that were refused throw. */
  tell(pid: number, commands: readonly string[], signal: AbortSignal): Promise<void>;
  info(pid: number, key: string, signal: AbortSignal): Promise<string | undefined>;
  /** Servers of one backend, or of all. */
  servers(pid: number, backend: string | undefined, signal: AbortSignal): Promise<Map<string, ServerState[]>>;
  /** Lines of a file of keys and values, as the process has it now. */
  map(pid: number, path: string, signal: AbortSignal): Promise<string>;
  /** What a buffer in memory holds. */
  events(pid: number, ring: string, signal: AbortSignal): Promise<string>;
  /** Backends and servers of one backend, or of all. */
  stats(pid: number, backend: string | undefined, signal: AbortSignal): Promise<Map<string, StatLine[]>>;
}

/** A path of a UNIX socket must fit into 108 bytes, 104 on some systems, its end mark included. */
const longestPath = 103;
const mostBytes = 64 * 1024 * 1024;
/** The buffer of the command line has 16 KiB, and a command has about 100 bytes. */
const commandsAtOnce = 50;
const lookAgainMs = 20;

export function createMaster(socketPath: string): Master {
  const ask = (command: string, signal: AbortSignal) => exchange(socketPath, command, signal);
  const of = (backend: string | undefined) => backend ?? "";
  return {
    async processes(signal) {
      return persist(async () => {
        const text = await ask("show proc", signal);
        const found = parseProcesses(text);
        if (!found) throw unreachable(`it has no process that serves: ${text.trim()}`);
        return found;
      }, signal);
    },
    reload: async (signal) => void (await ask("reload", signal)),
    async tell(pid, commands, signal) {
      for (let at = 0; at < commands.length; at += commandsAtOnce) {
        const some = commands.slice(at, at + commandsAtOnce);
        const text = await ask(some.map((command) => `@!${pid} ${command}`).join(";"), signal);
        if (/^(No such|Can't find|Proxy is disabled|Unknown command)/m.test(text)) throw unreachable(text.trim());
      }
    },
    info: async (pid, key, signal) => parseInfo(await ask(`@!${pid} show info`, signal), key),
    servers: async (pid, backend, signal) =>
      parseServers(await ask(`@!${pid} show servers state ${of(backend)}`, signal)),
    map: (pid, path, signal) => ask(`@!${pid} show map ${path}`, signal),
    events: (pid, ring, signal) => ask(`@!${pid} show events ${ring}`, signal),
    // 6: backends and servers; -1: all of them.
    stats: async (pid, backend, signal) => parseStats(await ask(`@!${pid} show stat ${backend ?? "-1"} 6 -1`, signal)),
  };
}

/** Again until it works or the signal fires; the last failure is told then. */
export async function persist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !(error instanceof BalancerError) || error.code !== "balancer-unreachable") throw error;
      await sleep(lookAgainMs, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}

async function exchange(path: string, command: string, signal: AbortSignal): Promise<string> {
  await using short = await shortened(path);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const socket = connect({ path: short.path, signal });
    socket.end(`${command}\n`);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw new Error("its answer is too long");
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable((error as Error).message, error);
  }
  return Buffer.concat(chunks).toString();
}

/** On Linux a directory that is open has a short name too. */
async function shortened(path: string): Promise<{ path: string } & AsyncDisposable> {
  if (Buffer.byteLength(path) <= longestPath) return { path, async [Symbol.asyncDispose]() {} };
  if (process.platform !== "linux")
    throw new BalancerError("invalid", `the path ${path} is too long for a socket: use a shorter TOWLINE_HOME`);
  const folder = await open(dirname(path)).catch((error: unknown) => {
    throw unreachable((error as Error).message, error);
  });
  return {
    path: `/proc/self/fd/${folder.fd}/${basename(path)}`,
    [Symbol.asyncDispose]: () => folder.close(),
  };
}

function unreachable(why: string, cause?: unknown): BalancerError {
  return new BalancerError("balancer-unreachable", `the balancer does not answer: ${why}`, { cause });
}
