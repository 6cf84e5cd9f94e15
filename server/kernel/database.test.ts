import { afterAll, describe, expect, test } from "vitest";
import { type RawBuilder, sql } from "kysely";
import { testDatabase } from "#testing/database.ts";
import { freePort } from "#testing/free-port.ts";
import { isOutage, openDatabase } from "./database.ts";

const database = await testDatabase();
afterAll(() => database?.[Symbol.asyncDispose]());

const errorOf = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error("it should have failed");
    },
    (error: Error) => error,
  );

test("what is asked often on a connection is planned once, and nothing that is asked without values or seldom", async () => {
  const kept = await database.db.connection().execute(async (one) => {
    const ask = async (times: number, query: RawBuilder<unknown>) => {
      for (let turn = 0; turn < times; turn++) await query.execute(one);
    };
    await ask(8, sql`select 1 + ${1}::int`);
    await ask(8, sql`select 2`);
    await ask(5, sql`select 3 + ${1}::int`);
    expect((await sql`select 1 + ${41}::int as answer`.execute(one)).rows).toEqual([{ answer: 42 }]);
    return sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(one);
  });
  expect(kept.rows).toEqual([{ statement: "select 1 + $1::int" }]);
});

describe("an outage of the database", () => {
  test("is not what the server says about a question", async () => {
    expect(isOutage(await errorOf(sql`select nonsense`.execute(database.db)))).toBe(false);
    expect(isOutage(await errorOf(sql`select 1 / 0`.execute(database.db)))).toBe(false);
  });

  test("is told by a connection that ends in the middle of a question", async () => {
    const error = await errorOf(sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(5)`.execute(database.db));
    expect(isOutage(error)).toBe(true);
  });

  test("is told by a connection that is found broken when it is written to, and not by a pipe that is", async () => {
    const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" });
    expect(isOutage(broken)).toBe(false);
    const client = await database.pool.connect();
    client.emit("error", broken);
    client.release(broken);
    expect(isOutage(broken)).toBe(true);
  });

  test("is told by a server that is not there, at a port or at a socket", async () => {
    const socket = encodeURIComponent("/nonexistent");
    await using nowhere = openDatabase(`postgres://x:x@${socket}:5432/x`, database.log);
    expect(isOutage(await errorOf(sql`select 1`.execute(nowhere.db)))).toBe(true);
    await using away = openDatabase(`postgres://x:x@127.0.0.1:${await freePort()}/x`, database.log);
    expect(isOutage(await errorOf(sql`select 1`.execute(away.db)))).toBe(true);
  });
});
