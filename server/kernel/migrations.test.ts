import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { testDatabase } from "#testing/database.ts";
import { migrate } from "./migrations.ts";
import { describeSchema } from "./schema.ts";

const golden = fileURLToPath(new URL("../migrations/schema.sql", import.meta.url));
const database = await testDatabase();
afterAll(() => database?.[Symbol.asyncDispose]());

describe("migrations", () => {
  test("end in the schema that migrations/schema.sql shows (UPDATE_SCHEMA=1 writes it)", async () => {
    const schema = await describeSchema(database.pool);
    if (process.env["UPDATE_SCHEMA"]) await writeFile(golden, schema);
    expect(schema).toBe(await readFile(golden, "utf8"));
  });

  test("are applied once, however many servers start at a time", async () => {
    const count = async () => (await database.pool.query("select name, applied_at from migrations order by name")).rows;
    const before = await count();
    await Promise.all([migrate(database.pool), migrate(database.pool), migrate(database.pool)]);
    expect(await count()).toEqual(before);
  });

  test("refuse a file that was changed after it was applied", async () => {
    await database.pool.query("update migrations set hash = 'other' where name like '0001%'");
    await expect(migrate(database.pool)).rejects.toThrow("0001_kernel.sql was changed after it was applied");
  });
});
