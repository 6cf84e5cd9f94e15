import { afterAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
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

describe("an outage of the database", () => {
  test("is not what the server says about a question", async () => {
    expect(isOutage(await errorOf(sql`select nonsense`.execute(database.db)))).toBe(false);
    expect(isOutage(await errorOf(sql`select 1 / 0`.execute(database.db)))).toBe(false);
  });

  test("is told by a connection that ends in the middle of a question", async () => {
    const error = await errorOf(sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(5)`.execute(database.db));
    expect(isOutage(error)).toBe(true);
  });

  test("is told by a server that is not there", async () => {
    await using away = openDatabase(`postgres://x:x@127.0.0.1:${await freePort()}/x`, database.log);
    expect(isOutage(await errorOf(sql`select 1`.execute(away.db)))).toBe(true);
  });
});
