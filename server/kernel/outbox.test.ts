import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { createOutbox, NotYet, type Outbox, reaction } from "./outbox.ts";
import { openWake } from "./wake.ts";

const database = await testDatabase();
const wake = await openWake(database.url, database.log);
afterAll(async () => {
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const { db } = database;
const newOutbox = (): Outbox => createOutbox({ db, wake, log: database.log });
const created = (repository: string) => ({ repository });

async function emitRepository(outbox: Outbox, subject: string, repository: string): Promise<void> {
  await db.transaction().execute((tx) => outbox.emit(tx, subject, "source.repository-created", created(repository)));
}

const waiting = async () =>
  Number((await sql<{ n: number }>`select count(*) n from deliveries`.execute(db)).rows[0]?.n);

beforeEach(async () => {
  await sql`truncate deliveries, events`.execute(db);
});

describe("the outbox", () => {
  test("delivers what was emitted before anybody delivered", async () => {
    const seen: string[] = [];
    const outbox = newOutbox();
    outbox.subscribe([
      reaction("a", "source.repository-created", async (_, event) => void seen.push(event.payload.repository)),
    ]);
    await emitRepository(outbox, "s", "catalog");
    await using _ = outbox.start();
    await until(() => seen.length === 1);
    expect(seen).toEqual(["catalog"]);
    await until(async () => (await waiting()) === 0);
  });

  test("drops the event when the transaction that emitted it rolls back", async () => {
    const outbox = newOutbox();
    outbox.subscribe([reaction("a", "source.repository-created", async () => {})]);
    const doomed = db.transaction().execute(async (tx) => {
      await outbox.emit(tx, "s", "source.repository-created", created("catalog"));
      throw new Error("no");
    });
    await expect(doomed).rejects.toThrow("no");
    expect(await waiting()).toBe(0);
  });

  test("keeps the order of a subject although an earlier reaction fails for a while", async () => {
    const seen: string[] = [];
    let failures = 2;
    const outbox = newOutbox();
    outbox.subscribe([
      reaction("a", "source.repository-created", async (_, { payload }) => {
        if (payload.repository === "first" && failures-- > 0) throw new Error("not this time");
        seen.push(payload.repository);
      }),
    ]);
    for (const name of ["first", "second", "third"]) await emitRepository(outbox, "s", name);
    await emitRepository(outbox, "other", "elsewhere");
    await using _ = outbox.start();
    await until(() => seen.length === 4);
    expect(seen.filter((name) => name !== "elsewhere")).toEqual(["first", "second", "third"]);
    expect(seen[0]).toBe("elsewhere");
  });

  test("asks a reaction that says NotYet again soon", async () => {
    let turns = 0;
    const outbox = newOutbox();
    outbox.subscribe([
      reaction("a", "source.repository-created", async () => {
        turns += 1;
        if (turns < 3) throw new NotYet("wait");
      }),
    ]);
    await emitRepository(outbox, "s", "catalog");
    await using _ = outbox.start();
    await until(async () => (await waiting()) === 0);
    expect(turns).toBe(3);
  });

  test("takes back what a failing reaction wrote", async () => {
    let turns = 0;
    const outbox = newOutbox();
    outbox.subscribe([
      reaction("a", "source.repository-created", async (tx) => {
        turns += 1;
        await sql`insert into users (name, role) values (${`user${turns}`}, 'viewer')`.execute(tx);
        if (turns === 1) throw new Error("after the write");
      }),
    ]);
    await emitRepository(outbox, "s", "catalog");
    await using _ = outbox.start();
    await until(async () => (await waiting()) === 0);
    const { rows } = await sql<{ name: string }>`select name from users`.execute(db);
    expect(rows).toEqual([{ name: "user2" }]);
  });

  test("lets two deliverers take each event once and in order", async () => {
    const seen: string[] = [];
    const make = () => {
      const outbox = newOutbox();
      outbox.subscribe([
        reaction("a", "source.repository-created", async (_, event) => void seen.push(event.payload.repository)),
      ]);
      return outbox;
    };
    const [one, two] = [make(), make()];
    await using _one = one.start();
    await using _two = two.start();
    const names = Array.from({ length: 40 }, (_, index) => `service-${index}`);
    for (const name of names) await emitRepository(one, "s", name);
    await until(async () => (await waiting()) === 0);
    expect(seen).toEqual(names);
  });

  test("refuses a payload that is not of the catalogue's shape", async () => {
    await expect(emitRepository(newOutbox(), "s", "Not A Name")).rejects.toThrow("lower-case");
  });
});
