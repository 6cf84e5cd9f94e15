/** An agent's surroundings without Docker and Git: a test plays Compose, and whatever else it wants to see. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { PassThrough } from "node:stream";
import { join } from "node:path";
import { createLocks } from "#agent/job-tool/locks.ts";
import type { AgentContext } from "#agent/agent-context.ts";
import { createCacheStore } from "#agent/caches/cache-store.ts";
import { createTally } from "#agent/tally.ts";
import type { Compose, ComposeEnd, ComposeRun } from "#drivers/compose/contract.ts";
import { connectJob } from "#client/job-server.ts";
import type { Refusal } from "#api/errors.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { usualOptions } from "./agent-options.ts";
import type { PlayedServer } from "./played-server.ts";

export interface PlayedAgent extends AgentContext {
  /** Projects and containers that were left for later. */
  kept: string[];
}

export type PlayedWork = (run: ComposeRun) => Promise<ComposeEnd | Refusal>;

export const passed: ComposeEnd = { ended: "exited", exitCode: 0, outOfMemory: false, cleaned: true };

/** Ends when it is told to, as a test that would run for ever. */
export const untilStopped: PlayedWork = ({ signal }) =>
  new Promise((resolve) => {
    const stop = () => resolve({ ended: "cancelled", cleaned: true });
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  });

/** Where played agents live; who plays one removes it. */
export const playedHome = join(tmpdir(), `towline-played-agent-${process.pid}`);

export const testWork = { kind: "test", compose: "compose.test.yml", run: "unit" } as const;

/** An engine that answers everything with nothing. */
export function silentEngine(): Engine {
  return {
    json: async <T>() => [] as T,
    bytes: async () => Buffer.alloc(0),
    async *lines() {},
    follow: async () => (async function* () {})(),
    open: async () => (async function* () {})(),
    attach: async () => new PassThrough(),
  };
}

export function playCompose(run: PlayedWork): Compose {
  return { version: "played", run, build: async () => passed, cleanup: async () => {}, reap: async () => [] };
}

export function playAgent(
  server: PlayedServer,
  { run = async () => passed, ...more }: Partial<AgentContext> & { run?: PlayedWork } = {},
): PlayedAgent {
  const kept: string[] = [];
  return {
    ...{
      client: server.client,
      serverFor: ({ credentials }) => connectJob(server.url, credentials.password),
      url: server.url,
      home: playedHome,
      id: "0badcafe",
      labels: { "towline.agent": "0badcafe", "towline.home": "here" },
      name: "played",
      instance: "first",
    },
    ...{
      ...usualOptions,
      held: new Set<string>(),
      log: createLog("silent"),
    },
    ...{ compose: playCompose(run), engine: silentEngine(), kept },
    stopping: new AbortController().signal,
    abandon: new AbortController().signal,
    tool: undefined,
    locks: createLocks(),
    checkouts: {
      checkout: async () => ({ [Symbol.dispose]() {} }),
      use: () => ({ [Symbol.dispose]() {} }),
      removeOldest: async () => false,
      objectsOf: () => "/tmp",
    },
    leftovers: {
      removeAll: async () => undefined,
      removeContainer: async () => {},
      removeNetwork: async () => {},
      removeFolder: (path) => rm(path, { recursive: true, force: true }),
      tryAgain: async () => {},
      keepProject: (name) => void kept.push(name),
    },
    orphans: { look: async () => {} },
    caches: createCacheStore(playedHome),
    pulled: { noteUse: async () => {}, removeOldest: async () => false },
    room: { make: async () => true },
    tally: createTally(),
    records: { keep: async () => {}, forget: async () => {}, all: async () => new Map() },
    ...more,
  };
}
