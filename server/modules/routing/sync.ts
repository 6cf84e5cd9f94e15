/**
 * Brings the balancer to what the tables say. The tables are read inside the queue, so that no older reading can be
 * applied after a newer one.
 */
import type { Balancer, BalancerConfig } from "#drivers/balancer/contract.ts";
import { type Runtime, RuntimeError } from "#drivers/runtime/contract.ts";
import type { Fleet } from "#fleet";
import type { Database } from "#kernel/database.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import { isPreview } from "#pipeline/preview-rules.ts";
import { balancerConfig, type EnvironmentNetwork, type Pool, slotChanges } from "./core/balancer-config.ts";
import { routingStore } from "./store.ts";

export interface SyncDeps {
  db: Database;
  balancer: Balancer;
  runtime: Pick<Runtime, "ensureNetwork">;
  fleet: Pick<Fleet, "previews">;
}

export interface Sync {
  /** Applies what changed since the last time. */
  changes(): Promise<void>;
  /** Applies everything, also to a balancer that was killed or changed by hand. */
  everything(): Promise<void>;
}

export function createSync({ db, balancer, runtime, fleet }: SyncDeps): Sync {
  const lock = createKeyedLock();
  const queue = (work: () => Promise<void>) => lock.hold("balancer", work);
  let applied: BalancerConfig | undefined;
  let networks = new Map<string, EnvironmentNetwork>();

  async function desired(): Promise<BalancerConfig> {
    const { pools, slots } = await readPools(db);
    for (const environment of new Set(pools.map((pool) => pool.environment)))
      if (!networks.has(environment)) await findNetwork(environment);
    const borrowed = pools.some((pool) => isPreview(pool.environment)) ? (await fleet.previews())?.borrow : undefined;
    return balancerConfig(pools, slots, { networks, borrowed });
  }

  /** An environment that cannot be served as things are must not stand in the way of the others. */
  async function findNetwork(environment: string): Promise<void> {
    try {
      networks.set(environment, await runtime.ensureNetwork(environment));
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== "unfit") throw error;
    }
  }

  async function bring(): Promise<void> {
    const config = await desired();
    const changes = applied && slotChanges(applied, config);
    // Until all of it is in force, nothing is known about what is.
    applied = undefined;
    if (!changes) await balancer.apply(config);
    else if (changes.length > 0) await balancer.setSlots(changes);
    applied = config;
  }

  /** Not begun yet: it will read the tables with what all have written who wait for it, so that one change serves them all. */
  let next: Promise<void> | undefined;
  function changes(): Promise<void> {
    next ??= queue(() => {
      next = undefined;
      return bring();
    });
    return next;
  }

  return {
    changes,
    everything: () =>
      queue(() => {
        applied = undefined;
        networks = new Map();
        return bring();
      }),
  };
}

/** As of one moment: a route of before a shift, read with the slots of after it, would lead where nobody serves. */
async function readTables(db: Database) {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (tx) => {
      const store = routingStore(tx);
      const [routes, hosts] = [await store.routes(), await store.hosts()];
      return { routes, hosts, rows: await store.pools(), slots: await store.slots() };
    });
}

async function readPools(db: Database) {
  const { routes, hosts, rows, slots } = await readTables(db);
  const pools = rows.map(({ id, environment, health_path, slots: size }): Pool => {
    const route = routes.find(({ pool }) => pool === id);
    const pool = { id, environment, healthPath: health_path, slots: size };
    if (!route) return pool;
    const own = hosts.filter((each) => each.service === route.service && each.environment === environment);
    return {
      ...pool,
      front: { hosts: own.map(({ host }) => host), internalPort: route.internal_port, mode: route.mode },
    };
  });
  return { pools, slots };
}
