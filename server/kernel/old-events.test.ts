import { sql } from "kysely";
import { expect, test } from "vitest";
import { testDatabase } from "#testing/database.ts";
import { systemClock } from "./clock.ts";
import { createEventRetention } from "./old-events.ts";

async function placeWith(events: Record<string, number>) {
  const database = await testDatabase();
  for (const [name, days] of Object.entries(events))
    await sql`insert into events (name, subject, payload, at)
      values (${name}, 'a', '{}', now() - make_interval(days => ${days}))`.execute(database.db);
  return database;
}

test("events go after their days, but for those that somebody still waits to hear of", async () => {
  await using database = await placeWith({ old: 51, awaited: 51, young: 49 });
  const { db } = database;
  await sql`insert into deliveries (subscriber, event_id, subject)
    select 'somebody', id, 'a' from events where name = 'awaited'`.execute(db);
  await createEventRetention({ db, clock: systemClock, days: 50 }).forget();
  const { rows } = await sql<{ name: string }>`select name from events order by id`.execute(db);
  expect(rows.map(({ name }) => name)).toEqual(["awaited", "young"]);
});

test("events of the last month stay, whoever wants them gone, and none is changed", async () => {
  await using database = await placeWith({ young: 29 });
  const { db } = database;
  await expect(createEventRetention({ db, clock: systemClock, days: 1 }).forget()).rejects.toThrow("30 days stay");
  await expect(sql`update events set name = 'other'`.execute(db)).rejects.toThrow("only added");
});
