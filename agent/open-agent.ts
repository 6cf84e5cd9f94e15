/** All that an agent needs before it does its first job. */
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import { writeDurably } from "#kernel/files.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import type { AgentContext } from "./agent-context.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type AttemptRecord, type AttemptRecords, createAttemptRecords } from "./attempt-records.ts";
import { createBuildCache, createBuiltImages } from "./built-images.ts";
import { createCacheStore } from "./caches/cache-store.ts";
import { agentLabel, containersOf, homeLabel } from "./containers.ts";
import { createLocks } from "./job-tool/locks.ts";
import { prepareTool } from "./job-tool/tool-binary.ts";
import { createLeftovers } from "./leftovers.ts";
import { createOrphans, homeLabelOf, lockOf } from "./orphans.ts";
import { createPulledImages } from "./pulled-images.ts";
import { freeBytes } from "./readiness.ts";
import { createRoom } from "./room.ts";
import { attemptName } from "./run-job.ts";
import { count, createTally } from "./tally.ts";
import { troubleOf } from "./trouble.ts";

export interface OpenAgent extends AsyncDisposable {
  context: AgentContext;
  /** Attempts that an earlier start of this home had at work, and whose containers are still there. */
  standing: AttemptRecord[];
}

interface Signals {
  /** No job is leased any more. */
  stopping: AbortSignal;
  /** The jobs at work are ended, for another agent to begin anew. */
  abandon: AbortSignal;
}

/**
 * Takes hold of the home, which no other agent may have then, and removes what an earlier start left, but what it had at work. Refused
 * without Docker (`host.docker-missing`).
 */
export async function openAgent(options: AgentOptions, signals: Signals): Promise<OpenAgent | Refusal> {
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const lock = await lockProcess(lockOf(options.home), `another agent works in ${options.home}`);
  if (isRefusal(lock)) return lock;
  stack.use(lock);
  const id = await agentId(options.home);
  const records = createAttemptRecords(options.home);
  const standing = await findStanding(options, id, records);
  if (isRefusal(standing)) return standing;
  const labels = { [agentLabel]: id, [homeLabel]: await homeLabelOf(options.home) };
  const leftovers = createLeftovers({ ...options, id, labels });
  const left = await leftovers.removeAll(new Set(standing.map(({ assignment }) => attemptName(id, assignment))));
  if (isRefusal(left)) return left;
  const tool = await findTool(options);
  const context: AgentContext = {
    ...options,
    ...{ id, labels, name: `${hostname()}-${id}`.slice(0, 100), instance: newId() },
    ...{ held: new Set(standing.map(({ assignment }) => assignment.token)), records },
    ...{ ...openStores(options, id), tool, locks: createLocks(), leftovers, ...signals },
    orphans: createOrphans({ ...options, own: id }),
  };
  const kept = stack.move();
  return { context, standing, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What stays on the disk for later jobs, and goes when there is no room. */
function openStores({ home, checkouts, engine, diskFloor, log }: AgentOptions, id: string) {
  const tally = createTally();
  const caches = createCacheStore(home);
  const pulled = createPulledImages(home, engine);
  const stores = [
    { name: "cache", removeOldest: caches.removeOldest },
    { name: "mirror", removeOldest: checkouts.removeOldest },
    { name: "image", removeOldest: pulled.removeOldest },
    createBuiltImages(engine, id),
    createBuildCache(engine),
  ];
  const room = createRoom({ free: () => freeBytes(home), floor: diskFloor, stores }, (kind) => {
    count(tally.removed, kind);
    log.warn(`a ${kind} was removed for want of room on the disk`);
  });
  return { tally, caches, pulled, room };
}

async function findTool({ home, log }: AgentOptions): Promise<string | undefined> {
  const made = await prepareTool(home);
  if ("folder" in made) return made.folder;
  log.warn(`jobs have no buildkite-agent: ${made.missing}`);
  return undefined;
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

/** Eight hex digits that stay with the home, so that the next start recognises what this one left. */
async function agentId(home: string): Promise<string> {
  const path = join(home, "id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const id = newId().slice(0, 8);
  await writeDurably(path, id);
  return id;
}
