/** A process that dies at a chosen call to the outside: from then on nothing it does reaches database or drivers. */
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type pg from "pg";
import type { Database } from "#kernel/database.ts";

export interface Mortal {
  db: Database;
  wrap<T extends object>(door: T): T;
  /** Does something just before the n-th call to a driver from now on. */
  beforeDriverCall(n: number, work: () => Promise<unknown>): void;
  /** Dies just before the n-th call from now on, counting from 1. */
  dieAt(n: number): void;
  readonly dead: boolean;
}

class Dead extends Error {}

/** Statements at which it matters whether the process still lives: before them nothing of a transaction has happened, after them all of it. */
const boundaries = /^(begin|start|commit)/i;

export function mortal(pool: pg.Pool): Mortal {
  let calls = 0;
  let fatal = Infinity;
  let dead = false;
  const point = () => {
    calls += 1;
    if (calls >= fatal) dead = true;
    if (dead) throw new Dead("this process is dead");
  };
  const alive = <T>(value: T): T => {
    if (dead) throw new Dead("this process is dead");
    return value;
  };

  let driverCalls = 0;
  let interruption: { n: number; work: () => Promise<unknown> } | undefined;
  const interrupt = async () => {
    driverCalls += 1;
    if (driverCalls === interruption?.n) await interruption.work();
  };

  const clientOf = (client: pg.PoolClient): PostgresPoolClient =>
    ({
      async query(text: string, parameters: readonly unknown[]) {
        if (boundaries.test(text)) point();
        alive(undefined);
        return alive(await client.query(text, [...parameters]));
      },
      // A connection whose owner died is cut, and PostgreSQL takes its transaction back.
      release: () => client.release(dead),
    }) as unknown as PostgresPoolClient;

  const mortalPool = {
    connect: async () => clientOf(await alive(pool).connect()),
    end: async () => {},
  } as PostgresPool;

  return {
    db: new Kysely({ dialect: new PostgresDialect({ pool: mortalPool }) }),
    wrap: (door) =>
      new Proxy(door, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== "function") return value;
          return async (...parameters: unknown[]) => {
            point();
            await interrupt();
            return alive(await (value as (...all: unknown[]) => unknown).apply(target, parameters));
          };
        },
      }),
    beforeDriverCall(n, work) {
      driverCalls = 0;
      interruption = { n, work };
    },
    dieAt(n) {
      calls = 0;
      fatal = n;
    },
    get dead() {
      return dead;
    },
  };
}
