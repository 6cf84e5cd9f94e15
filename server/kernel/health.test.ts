import { expect, test } from "vitest";
import { testDatabase } from "#testing/database.ts";
import { look, lookAtDatabase } from "./health.ts";

test("a look that fails, and one that hangs, are rows beside those that are good", async () => {
  const rows = await look(
    {
      fine: async () => [{ name: "fine", verdict: "good", found: "yes" }],
      broken: async () => Promise.reject(new Error("the socket is gone")),
      hung: () => new Promise(() => {}),
    },
    20,
  );
  expect(rows.map(({ name, verdict, found }) => [name, verdict, found])).toEqual([
    ["fine", "good", "yes"],
    ["broken", "bad", "the socket is gone"],
    ["hung", "bad", "no answer in 0.02 s"],
  ]);
});

test("the database tells its version, and an event that nobody takes is a warning", async () => {
  await using database = await testDatabase();
  // How long an answer takes is judged, and the first of a pool takes its connection too.
  await database.pool.query("select 1");
  const rows = lookAtDatabase(database.db);
  expect((await rows()).map(({ name, verdict }) => [name, verdict])).toEqual([
    ["database", "good"],
    ["events", "good"],
  ]);
  await database.pool.query(`with e as (insert into events (name, subject, payload, at)
    values ('fleet.service-changed', 'service:a', '{}', now() - interval '1 hour') returning id)
    insert into deliveries (subscriber, event_id, subject) select 'builds', id, 'service:a' from e`);
  expect((await rows())[1]).toMatchObject({
    verdict: "warning",
    found: expect.stringMatching(/for 36\d\d s, to builds/),
  });
});
