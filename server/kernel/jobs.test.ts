import { afterAll, afterEach, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { jobs, startJobs, type Task } from "./jobs.ts";
import { openWake } from "./wake.ts";

const database = await testDatabase();
const { db, log } = database;
const wake = await openWake(database.url, log);
afterAll(async () => {
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});
afterEach(async () => void (await sql`delete from jobs`.execute(db)));

const start = (tasks: Record<string, Task>) => startJobs({ db, wake, log, tasks });
const add = (...args: Parameters<typeof jobs.add> extends [unknown, ...infer R] ? R : never) =>
  db.transaction().execute((tx) => jobs.add(tx, ...args));
const left = async () => (await sql<{ n: number }>`select count(*) n from jobs`.execute(db)).rows[0]?.n;
const isDone = async () => (await left()) === 0;
/** As when PostgreSQL is killed: every connection of ours but the one that asks. */
const cutConnections = () =>
  sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
    db,
  );

describe("jobs", () => {
  test("run once their transaction has committed, and never when it was rolled back", async () => {
    const ran: unknown[] = [];
    await using _ = start({ note: async (payload) => void ran.push(payload) });
    const roll = db.transaction().execute(async (tx) => {
      await jobs.add(tx, "note", { n: 0 });
      throw new Error("rolled back");
    });
    await expect(roll).rejects.toThrow("rolled back");
    await add("note", { n: 1 });
    await until(isDone);
    expect(ran).toEqual([{ n: 1 }]);
  });

  test("run at their time", async () => {
    const ran: number[] = [];
    await using _ = start({ note: async () => void ran.push(Date.now()) });
    const runAt = new Date(Date.now() + 700);
    await add("note", {}, { runAt });
    await until(isDone);
    expect(ran[0]).toBeGreaterThanOrEqual(runAt.getTime());
  });

  test("run however long they were due, and are waited for however far off they are", async () => {
    const ran: unknown[] = [];
    await using _ = start({ note: async (payload) => void ran.push(payload) });
    await add("note", { n: "late" }, { runAt: new Date("2001-01-01T00:00:00Z") });
    await add("note", { n: "far" }, { runAt: new Date("2999-01-01T00:00:00Z") });
    await until(() => ran.length > 0);
    expect(ran).toEqual([{ n: "late" }]);
  });

  test("with the same key replace the one that waits", async () => {
    const ran: unknown[] = [];
    await add("note", { n: 1 }, { key: "k" });
    await add("note", { n: 2 }, { key: "k" });
    await using _ = start({ note: async (payload) => void ran.push(payload) });
    await until(isDone);
    expect(ran).toEqual([{ n: 2 }]);
  });

  test("that keep the one that waits under their key leave it as it is, and run where none waits", async () => {
    const ran: unknown[] = [];
    await add("note", { n: 1 }, { key: "k", runAt: new Date("2999-01-01T00:00:00Z") });
    await add("note", { n: 2 }, { key: "k", keep: true });
    await add("note", { n: 3 }, { key: "other", keep: true });
    await using _ = start({ note: async (payload) => void ran.push(payload) });
    await until(async () => (await left()) === 1);
    expect(ran).toEqual([{ n: 3 }]);
    await sql`update jobs set failures = 3`.execute(db);
    await add("note", { n: 4 }, { key: "k", keep: true });
    await until(isDone);
    expect(ran).toEqual([{ n: 3 }, { n: 4 }]);
  });

  test("with the same key as one at work run after it, never beside it", async () => {
    const ran: unknown[] = [];
    let beside = 0;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const note: Task = async (payload) => {
      ran.push(payload);
      beside += 1;
      expect(beside).toBe(1);
      await over;
      beside -= 1;
    };
    await using _ = start({ note });
    await add("note", { n: 1 }, { key: "k" });
    await until(() => ran.length === 1);
    await add("note", { n: 2 }, { key: "k" });
    await add("note", { n: 3 }, { key: "k" });
    end();
    await until(isDone);
    expect(ran).toEqual([{ n: 1 }, { n: 3 }]);
  });

  test("run again after the process that ran them was killed", async () => {
    const never = new Promise<void>(() => {});
    let begun = false;
    await add("note", { n: 3 });
    // Never disposed, as a killed process is not.
    startJobs({
      db,
      wake: { on: () => () => {}, [Symbol.asyncDispose]: async () => {} },
      log,
      tasks: { note: () => ((begun = true), never) },
    });
    await until(() => begun);
    const ran: unknown[] = [];
    await using _ = start({ note: async (payload) => void ran.push(payload) });
    await until(() => ran.length === 1);
    expect(ran).toEqual([{ n: 3 }]);
  });

  test("are tried again within seconds after a failure, however often they failed", async () => {
    let turns = 0;
    const note = async () => {
      turns += 1;
      if (turns === 1) throw new Error("the first time fails");
    };
    await add("note", {});
    await sql`update jobs set failures = 1000000`.execute(db);
    await using _ = start({ note });
    await until(() => turns === 2);
    await until(isDone);
  });

  test("a task that nobody knows any more waits for a server that does", async () => {
    const ran: string[] = [];
    await add("unknown", {});
    await add("note", {});
    await using _ = start({ note: async () => void ran.push("note") });
    await until(() => ran.length === 1);
    await until(async () => (await left()) === 1);
  });

  test("at work while the database is away run once, and those that come after run too", async () => {
    const ran: string[] = [];
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const long = async () => {
      ran.push("long");
      await over;
      await cutConnections();
    };
    await using _ = start({ long, note: async () => void ran.push("note") });
    await add("long", {});
    await until(() => ran.length === 1);
    end();
    await until(() =>
      add("note", {}).then(
        () => true,
        () => false,
      ),
    );
    await until(() => isDone().catch(() => false));
    expect(ran).toEqual(["long", "note"]);
  });

  test("more than run at a time wait for their turn, oldest first", async () => {
    const ran: number[] = [];
    let beside = 0;
    let most = 0;
    const note: Task = async (payload) => {
      ran.push((payload as { n: number }).n);
      most = Math.max(most, ++beside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      beside -= 1;
    };
    for (let n = 0; n < 50; n++) await add("note", { n });
    await using _ = start({ note });
    await until(isDone);
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(most).toBe(16);
  });

  test("at work are finished before the runner has stopped, and learn that it stops", async () => {
    let finished = false;
    const begun = Promise.withResolvers<void>();
    const runner = start({
      note: (_, signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            finished = true;
            resolve();
          });
          begun.resolve();
        }),
    });
    await add("note", {});
    await begun.promise;
    await runner[Symbol.asyncDispose]();
    expect(finished).toBe(true);
  });
});
