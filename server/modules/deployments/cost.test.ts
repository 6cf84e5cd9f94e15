/** What a deployment asks of engine, balancer and database. Many at once share the machine on which they wait: what each asks, all wait for. */
import { isRefusal } from "#api/errors.ts";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { countedDatabase } from "#testing/counted-database.ts";
import { type DeploymentsPlace, openDeploymentsPlace, quickTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const hourly = 3_600_000;
const still = { ...quickTiming, superviseMs: hourly, scaleMs: hourly };

/** Counts calls of drivers by their name, and statements of the database. */
function counting({ database }: DeploymentsPlace) {
  const asked: Record<string, number> = {};
  const count = (what: string) => void (asked[what] = (asked[what] ?? 0) + 1);
  const db = countedDatabase(database, () => count("statement"));
  const wrap = <T extends object>(door: T): T =>
    new Proxy(door, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return (...all: unknown[]) => {
          count(String(name));
          return (value as (...given: unknown[]) => unknown).apply(target, all);
        };
      },
    });
  return { db, wrap, asked, forget: () => Object.keys(asked).forEach((key) => delete asked[key]) };
}

/** Whatever follows from a deployment has been done. */
async function untilQuiet({ database }: DeploymentsPlace): Promise<void> {
  await until(async () => {
    const { rows } = await sql`
      select 1 from jobs where task in ('deployments.settle', 'deployments.advance', 'deployments.prune')
      union all select 1 from deliveries`.execute(database.db);
    return rows.length === 0;
  });
}

test("a deployment that waits for nothing asks engine, balancer and database no more than it needs", async () => {
  await using place = await openDeploymentsPlace();
  const { db, wrap, asked, forget } = counting(place);
  await using server = await place.server({ db, wrap, timing: still, reconcileMs: hourly });
  for (const n of [1, 2]) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  await untilQuiet(place);
  forget();
  place.world.environmentReads = 0;
  const made = await server.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  if (isRefusal(made)) throw new Error(made.message);
  await until(async () => (await place.events("deployments.deployment-finished")).length === 2);
  await untilQuiet(place);
  expect((await place.serving("orders")).releases).toEqual([2]);
  const { list = 0, health = 0, statement = 0, ...others } = asked;
  expect(others).toEqual({
    ...{ ensureNetwork: 1, pull: 1, start: 1, stop: 1, remove: 1 },
    ...{ setSlots: 3, sessions: 3, stats: 3, serving: 1 },
  });
  // One look of the phases probe, drain, watch, verify and stop each, and a few more where the machine is slow.
  expect(list).toBeLessThanOrEqual(8);
  expect(health).toBeLessThanOrEqual(6);
  // It was 9; a lane that is settled once more reads it once more.
  expect(place.world.environmentReads).toBeLessThanOrEqual(11);
  // It was 206; a turn of the worker, of which a slow machine needs more, takes eight.
  expect(statement).toBeLessThanOrEqual(280);
});
