import { afterAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { jobs, startJobs, type Task } from "./jobs.ts";

const database = await testDatabase();
afterAll(() => database[Symbol.asyncDispose]());
const { db, pool, log } = database;
const start = (tasks: Record<string, Task>) => startJobs({ db, pool, log, tasks });
const add = (...args: Parameters<typeof jobs.add> extends [unknown, ...infer R] ? R : never) =>
  db.transaction().execute((tx) => jobs.add(tx, ...args));

describe("jobs", () => {
  test("run once their transaction has committed", async () => {
    const ran: unknown[] = [];
    await using _ = await start({ note: async (payload) => void ran.push(payload) });
    await add("note", { n: 1 });
    await until(() => ran.length === 1);
    expect(ran).toEqual([{ n: 1 }]);
  });

  test("with the same key replace the one that waits", async () => {
    const ran: unknown[] = [];
    await add("note", { n: 1 }, { key: "k" });
    await add("note", { n: 2 }, { key: "k" });
    await using _ = await start({ note: async (payload) => void ran.push(payload) });
    await until(() => ran.length === 1);
    expect(ran).toEqual([{ n: 2 }]);
  });

  test("run again after the process that ran them was killed", async () => {
    await add("note", { n: 3 });
    await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'a-dead-worker', attempts = 1`.execute(
      db,
    );
    const ran: unknown[] = [];
    await using _ = await start({ note: async (payload) => void ran.push(payload) });
    await until(() => ran.length === 1);
    expect(ran).toEqual([{ n: 3 }]);
  });

  test("run although the runner never heard that it had locked them, and those at work do not run twice", async () => {
    const ran: string[] = [];
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const long = async () => {
      ran.push("long");
      await over;
    };
    await using _ = await start({ long, note: async () => void ran.push("note") });
    await add("long", {});
    await until(() => ran.length === 1);
    await add("note", {}, { runAt: new Date(Date.now() + 60_000) });
    await sql`update graphile_worker._private_jobs
      set run_at = now(), locked_at = now() - interval '1 minute', locked_by = coalesce(locked_by, 'worker-of-this-runner')`.execute(
      db,
    );
    await until(() => ran.includes("note"));
    expect(ran).toEqual(["long", "note"]);
    end();
  });

  test("are tried again after a failure", async () => {
    let turns = 0;
    await using _ = await start({
      note: async () => {
        turns += 1;
        if (turns === 1) throw new Error("the first time fails");
      },
    });
    await add("note", {});
    await until(() => turns === 1);
    // The backoff of the first retry is e seconds; the test moves the clock of the row instead of waiting.
    await until(async () => {
      await sql`update graphile_worker._private_jobs set run_at = now() where locked_at is null`.execute(db);
      return turns === 2;
    });
  });

  test("that failed often are tried again within seconds, not hours", async () => {
    let turns = 0;
    const note = async () => {
      turns += 1;
      if (turns === 1) throw new Error("the first time fails");
    };
    await using _ = await start({ note });
    await add("note", {});
    await until(() => turns === 1);
    await until(async () => {
      const late = sql`update graphile_worker._private_jobs set run_at = now() + interval '1 hour' where last_error is not null`;
      return ((await late.execute(db)).numAffectedRows ?? 0n) > 0n;
    });
    await until(() => turns === 2);
  });

  test("at work are finished before the runner has stopped, and learn that it stops", async () => {
    let finished = false;
    const runner = await start({
      note: (_, signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            finished = true;
            resolve();
          });
          begun.resolve();
        }),
    });
    const begun = Promise.withResolvers<void>();
    await add("note", {});
    await begun.promise;
    await runner[Symbol.asyncDispose]();
    expect(finished).toBe(true);
  });
});
