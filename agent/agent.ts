import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import type { Compose } from "#drivers/compose/contract.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import { newId } from "#kernel/clock.ts";
import { writeDurably } from "#kernel/files.ts";
import type { Log } from "#kernel/log.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { type AttemptRecord, type AttemptRecords, createAttemptRecords } from "./attempt-records.ts";
import { type CacheStore, createCacheStore } from "./caches/cache-store.ts";
import { type Checkouts, createCheckouts } from "./checkout.ts";
import { containersOf, type JobLimits } from "./containers.ts";
import { createPulledImages, type PulledImages } from "./pulled-images.ts";
import { freeBytes } from "./readiness.ts";
import { createRoom, type Room } from "./room.ts";
import { type HealthPlace, serveHealth } from "./serve-health.ts";
import { count, createTally, type Tally } from "./tally.ts";
import { createLocks, type Locks } from "./job-tool/locks.ts";
import { prepareTool } from "./job-tool/tool-binary.ts";
import { leaseJobs } from "./lease-jobs.ts";
import { createLeftovers, type Leftovers } from "./leftovers.ts";
import { attemptName, resumeJob, runJob } from "./run-job.ts";
import { troubleOf } from "./trouble.ts";

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
  /** Bytes that stay free on the disk of `home`: below it no job is leased. */
  diskFloor: number;
  limits: JobLimits;
  /** Bytes that all caches of steps may take together. */
  cacheSize: number;
  /** Milliseconds that a job waits for a Docker Engine that went away. */
  enginePatienceMs: number;
  /** Where health and metrics are told; absent: nowhere. */
  health?: HealthPlace | undefined;
  compose: Compose;
  engine: Engine;
  log: Log;
}

export interface Agent extends AsyncDisposable {
  name: string;
}

export interface AgentContext extends AgentOptions {
  id: string;
  name: string;
  /** Of this start: tells the server that what an earlier one leased has ended, unless it is among `held`. */
  instance: string;
  /** Tokens of the leases that this start has taken up from an earlier one. */
  held: Set<string>;
  records: AttemptRecords;
  caches: CacheStore;
  checkouts: Checkouts;
  /** Folder of the tool by which jobs call the agent; undefined where it cannot be made. */
  tool: string | undefined;
  locks: Locks;
  leftovers: Leftovers;
  pulled: PulledImages;
  room: Room;
  tally: Tally;
  /** No job is leased any more. */
  stopping: AbortSignal;
  /** The jobs at work are ended, for another agent to begin anew. */
  abandon: AbortSignal;
}

/**
 * Starts leasing. First takes up the jobs whose containers an agent of this home left when it was killed, and removes what else it
 * left; without Docker that is refused (`host.docker-missing`). Disposing stops leasing and waits for the jobs at work, which `abandon` ends; then it tells the
 * server, which gives to others at once what was not finished.
 */
export async function startAgent(options: AgentOptions, abandon: AbortSignal): Promise<Agent | Refusal> {
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const lock = await lockProcess(join(options.home, "agent.lock"), `another agent works in ${options.home}`);
  if (isRefusal(lock)) return lock;
  stack.use(lock);
  const id = await agentId(options.home);
  const records = createAttemptRecords(options.home);
  const standing = await findStanding(options, id, records);
  if (isRefusal(standing)) return standing;
  const leftovers = createLeftovers({ ...options, id });
  const left = await leftovers.removeAll(new Set(standing.map(({ assignment }) => attemptName(id, assignment))));
  if (isRefusal(left)) return left;
  const tool = await findTool(options);
  const stopping = new AbortController();
  const context: AgentContext = {
    ...options,
    ...{ id, name: `${hostname()}-${id}`.slice(0, 100), instance: newId() },
    ...{ held: new Set(standing.map(({ assignment }) => assignment.token)), records },
    ...{ ...openStores(options), tool, locks: createLocks(), leftovers, stopping: stopping.signal, abandon },
  };
  if (options.health) stack.use(await serveHealth(context, options.health));
  const loops = Array.from({ length: Math.max(options.capacity, standing.length) }, async (_, slot) => {
    const before = standing[slot];
    if (before) await resumeJob(context, before).catch((error: unknown) => brokeAgent(context, error));
    if (slot < options.capacity) await leaseJobs(context, (job) => runJob(context, job));
  });
  const kept = stack.move();
  return {
    name: context.name,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(loops);
      await sayStopped(context);
      await kept.disposeAsync();
    },
  };
}

/** What stays on the disk for later jobs, and goes when there is no room. */
function openStores({ home, url, engine, diskFloor, log }: AgentOptions) {
  const tally = createTally();
  const caches = createCacheStore(home);
  const checkouts = createCheckouts({ home, url });
  const pulled = createPulledImages(home, engine);
  const stores = [
    { name: "cache", removeOldest: caches.removeOldest },
    { name: "mirror", removeOldest: checkouts.removeOldest },
    { name: "image", removeOldest: pulled.removeOldest },
  ];
  const room = createRoom({ free: () => freeBytes(home), floor: diskFloor, stores }, (kind) => {
    count(tally.removed, kind);
    log.warn(`a ${kind} was removed for want of room on the disk`);
  });
  return { tally, caches, checkouts, pulled, room };
}

async function findTool({ home, log }: AgentOptions): Promise<string | undefined> {
  const made = await prepareTool(home);
  if ("folder" in made) return made.folder;
  log.warn(`jobs have no buildkite-agent: ${made.missing}`);
  return undefined;
}

function brokeAgent({ log }: AgentContext, error: unknown): void {
  log.error({ err: error }, "a job broke the agent");
}

/** Attempts of an earlier start whose containers run or have ended. Of the others the record is forgotten. */
async function findStanding(
  { engine }: AgentOptions,
  id: string,
  records: AttemptRecords,
): Promise<AttemptRecord[] | Refusal> {
  const known = await records.all();
  if (known.size === 0) return [];
  try {
    const containers = await containersOf(engine, id);
    const hasBegun = (name: string) => (containers.get(name) ?? "created") !== "created";
    for (const name of known.keys()) if (!hasBegun(name)) await records.forget(name);
    return [...known].filter(([name]) => hasBegun(name)).map(([, record]) => record);
  } catch (error) {
    return refuse("host.docker-missing", `the jobs that were at work cannot be looked at: ${troubleOf(error)}`);
  }
}

const lastWordMs = 3_000;

/** A server that does not hear it finds out by itself when the leases run out. */
async function sayStopped({ client, name, instance, log }: AgentContext): Promise<void> {
  const answer = await client.stopAgent({ body: { agent: name, instance } }, { timeoutMs: lastWordMs });
  if (isRefusal(answer)) log.warn({ refusal: answer }, "the server was not told that this agent stops");
}

/** Eight hex digits that stay with the home, so that the next start recognises what this one left. */
async function agentId(home: string): Promise<string> {
  const path = join(home, "id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const id = newId().slice(0, 8);
  await writeDurably(path, id);
  return id;
}
