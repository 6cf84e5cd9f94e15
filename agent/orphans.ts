/**
 * What agents of this machine left that were killed and never started again: the next start of such an agent would remove it, and
 * never comes. Every agent looks after the others.
 */
import { hostname } from "node:os";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Compose } from "#drivers/compose/contract.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import type { Log } from "#kernel/log.ts";
import { isLockHeld } from "#kernel/process-lock.ts";
import { forgetBuilder } from "./built-images.ts";
import { agentLabel, homeLabel } from "./containers.ts";
import { removeDockerThings } from "./remove-docker-things.ts";
import { troubleOf } from "./trouble.ts";

export interface Orphans {
  /** Looks, unless it did a moment ago; never throws. */
  look(): Promise<void>;
}

export interface OrphansDeps {
  engine: Engine;
  compose: Compose;
  log: Log;
  /** Id of the agent that looks. */
  own: string;
  /** How long an agent must be seen to be gone: until then one that is started anew may go on with its jobs. */
  patienceMs?: number;
  everyMs?: number;
  /** Homes whose agents are looked after; absent: all of this machine. */
  looksAt?: (home: string) => boolean;
  now?: () => number;
}

/** Longer than any lease: the server has given its jobs to others. */
const usualPatienceMs = 15 * 60_000;
const usualEveryMs = 60_000;

export function createOrphans(deps: OrphansDeps): Orphans {
  const { own, patienceMs = usualPatienceMs, everyMs = usualEveryMs, looksAt = () => true, now = Date.now } = deps;
  /** Since when an agent is seen to be gone, by its id. */
  const gone = new Map<string, number>();
  let lookedAt = -Infinity;

  async function lookNow(): Promise<void> {
    const found = await othersOf(deps.engine, own);
    for (const id of gone.keys()) if (!found.has(id)) gone.delete(id);
    for (const [id, home] of found) {
      if (!looksAt(home)) continue;
      if (await isLockHeld(lockOf(home))) gone.delete(id);
      else if (now() - (gone.get(id) ?? now()) >= patienceMs) await removeAllOf(deps, id);
      else gone.set(id, gone.get(id) ?? now());
    }
  }

  return {
    async look() {
      if (now() - lookedAt < everyMs) return;
      lookedAt = now();
      await lookNow().catch((error: unknown) => deps.log.warn(`other agents were not looked at: ${troubleOf(error)}`));
    },
  };
}

/** Held by the agent of a home as long as it runs. */
export const lockOf = (home: string): string => join(home, "agent.lock");

/**
 * What tells the homes of this machine from those of others that use the same Docker Engine: a folder that is not here may well be
 * there, and its agent alive.
 */
export async function homeLabelOf(home: string): Promise<string> {
  const machine = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return `${hostname()} ${machine.trim()} ${home && resolve(home)}`;
}

const quick = { deadlineMs: 60_000 };

interface Labelled {
  Labels: Record<string, string> | null;
}

/** Homes of the other agents of this machine that have something here, by their ids. */
async function othersOf(engine: Engine, own: string): Promise<Map<string, string>> {
  const filters = JSON.stringify({ label: [homeLabel] });
  const ask = (path: string, query: Record<string, string | boolean>) =>
    engine.json<Labelled[]>({ method: "GET", path, query }, quick);
  const containers = await ask("/containers/json", { all: true, filters });
  const networks = await ask("/networks", { filters });
  const { Volumes } = await engine.json<{ Volumes: Labelled[] | null }>(
    { method: "GET", path: "/volumes", query: { filters } },
    quick,
  );
  const here = await homeLabelOf("");
  const found = new Map<string, string>();
  for (const { Labels } of [...containers, ...networks, ...(Volumes ?? [])]) {
    const { [agentLabel]: id = "", [homeLabel]: home = "" } = Labels ?? {};
    if (/^[0-9a-f]{8}$/.test(id) && id !== own && home.startsWith(`${here}/`)) found.set(id, home.slice(here.length));
  }
  return found;
}

async function removeAllOf(deps: OrphansDeps, agent: string): Promise<void> {
  const { containers, projects } = await removeDockerThings(deps, agent);
  await forgetBuilder(deps.engine, agent);
  deps.log.info(
    { agent, containers: containers.length, projects },
    "removed what another agent left that is gone for good",
  );
}
