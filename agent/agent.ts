import { mkdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import type { Compose } from "#drivers/compose/contract.ts";
import { writeDurably } from "#kernel/files.ts";
import { newId } from "#kernel/clock.ts";
import type { Log } from "#kernel/log.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { removeContainersOf } from "./containers.ts";
import { runJob } from "./run-job.ts";

export interface AgentOptions {
  client: Client;
  /** Address of the server, for Git and the image registry. */
  url: string;
  /** Folder for mirrors and workspaces; one agent at a time. */
  home: string;
  /** Jobs at a time. */
  capacity: number;
  tags: Record<string, string>;
  /** Image of `command` jobs that name none. */
  defaultImage: string;
  compose: Compose;
  log: Log;
}

export interface Agent extends AsyncDisposable {
  name: string;
}

const retryMs = 500;

/**
 * Starts leasing. First removes what an agent of this home left when it was killed. Disposing stops leasing and waits for the
 * jobs at work; `abandon` (a second Ctrl-C) cancels them, which the server sees as a failed lease and hands to another.
 */
export async function startAgent(options: AgentOptions, abandon: AbortSignal): Promise<Agent | Refusal> {
  const id = await agentId(options.home);
  const lock = await lockProcess(join(options.home, "agent.lock"), `another agent works in ${options.home}`);
  if (isRefusal(lock)) return lock;
  await removeLeftovers(options, id);
  const name = `${hostname()}-${id}`.slice(0, 100);
  const instance = newId();
  const stopping = new AbortController();
  const loops = Array.from({ length: options.capacity }, () =>
    leaseLoop({ ...options, id, name, instance, stopping: stopping.signal, abandon }),
  );
  return {
    name,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(loops);
      await lock[Symbol.asyncDispose]();
    },
  };
}

export interface AgentContext extends AgentOptions {
  id: string;
  name: string;
  /** Of this start: tells the server that what an earlier one leased has ended. */
  instance: string;
  stopping: AbortSignal;
  abandon: AbortSignal;
}

async function leaseLoop(context: AgentContext): Promise<void> {
  while (!context.stopping.aborted) {
    const assignment = await lease(context).catch(() => undefined);
    if (assignment) {
      await runJob(context, assignment).catch((error: unknown) =>
        context.log.error({ err: error, job: assignment.job }, "a job broke the agent"),
      );
    }
  }
}

async function lease({ client, name, instance, tags, stopping, log }: AgentContext): Promise<Assignment | undefined> {
  const answer = await client.leaseJob({ body: { agent: name, instance, tags, waitMs: 20_000 } }, { signal: stopping });
  if (!isRefusal(answer)) return answer.assignment ?? undefined;
  log.debug({ refusal: answer }, "no lease; trying again");
  await sleep(retryMs, undefined, { signal: stopping });
  return undefined;
}

/** Eight hex digits that stay with the home, so that the next start recognises what this one left. */
async function agentId(home: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const path = join(home, "id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const id = newId().slice(0, 8);
  await writeDurably(path, id);
  return id;
}

async function removeLeftovers({ home, compose, log }: AgentOptions, id: string): Promise<void> {
  await removeContainersOf(id);
  const projects = await compose.reap(`tw-${id}-`);
  if (projects.length > 0) log.info({ projects }, "removed what an earlier run of this agent left");
  await rm(join(home, "workspaces"), { recursive: true, force: true });
}
