import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sql } from "kysely";
import { refuse } from "#api/errors.ts";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { notify } from "./database.ts";
import { changeOf, createEventFeed } from "./event-feed.ts";
import { createHttp, type Principal } from "./http.ts";
import { serveLive } from "./live.ts";
import { createOutbox } from "./outbox.ts";
import { createPulse } from "./pulse.ts";
import { openWake } from "./wake.ts";

const database = await testDatabase();
const { db, log } = database;
const wake = await openWake(database.url, log);
const { emit } = createOutbox({ db, wake, log });
const stopping = new AbortController();
const app = createHttp({ log });
const viewer: Principal = { kind: "user", name: "vic", role: "viewer", token: "t" };
const pulse = createPulse({ everyMs: 20, restAfterMs: 500 });
serveLive(app, {
  pulse,
  feed: createEventFeed({ db, wake, log, stopping: stopping.signal }),
  stopping: stopping.signal,
  authenticate: async (header) =>
    header === undefined ? undefined : header === "Bearer good" ? viewer : refuse("auth.bad-token", "no"),
});
let url = "";

beforeAll(async () => {
  await app.listen({ port: 0, host: "127.0.0.1" });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/live`;
});

afterAll(async () => {
  stopping.abort();
  await app.close();
  await wake?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

interface Told {
  name: string;
  subject: string;
}

async function listener(headers: Record<string, string> = { authorization: "Bearer good" }) {
  const answer = await fetch(url, { headers });
  let text = "";
  const ended = (async () => {
    for await (const bytes of answer.body ?? []) text += Buffer.from(bytes).toString();
  })();
  await until(() => text.includes("retry:"));
  const told = () => [...text.matchAll(/^data: (\{"name.*)$/gm)].map(([, json = ""]) => JSON.parse(json) as Told);
  const changed = () =>
    [...text.matchAll(/^event: changed\ndata: (.*)$/gm)].flatMap(([, json = ""]) => JSON.parse(json) as string[]);
  const beats = () => text.split("event: figures\n").length - 1;
  return { answer, told, changed, beats, ended };
}

const tell = (service: string) =>
  db
    .transaction()
    .execute((tx) => emit(tx, `service:${service}`, "fleet.service-changed", { service, commit: "a".repeat(40) }));

test("everybody who listens is told of each event once, and of none before", async () => {
  await tell("before");
  const [one, two] = [await listener(), await listener({ cookie: "towline_session=good" })];
  expect(one.answer.headers.get("content-type")).toBe("text/event-stream");
  for (let turn = 0; turn < 5; turn++) await tell(`service-${turn}`);
  const wanted = Array.from({ length: 5 }, (_, turn) => `service:service-${turn}`);
  for (const each of [one, two]) {
    await until(() => each.told().length >= 5);
    expect(each.told().map(({ subject }) => subject)).toEqual(wanted);
  }
  expect(one.told()[0]).toEqual({ name: "fleet.service-changed", subject: wanted[0], at: expect.any(String) });
});

/** Nobody reads the events until this is let go; a feed that wants to is heard of. */
async function holdEvents() {
  const [held, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = db.transaction().execute(async (tx) => {
    await sql`lock table events in access exclusive mode`.execute(tx);
    held.resolve();
    await free.promise;
  });
  await held.promise;
  return {
    wanted: () =>
      until(async () => {
        const waiting = sql`select 1 from pg_locks where not granted and relation = 'events'::regclass`;
        return (await waiting.execute(db)).rows.length > 0;
      }),
    async letGo() {
      free.resolve();
      await holding;
    },
  };
}

test("who listens is let go on only when all that happens from then on is told", async () => {
  const happened: string[] = [];
  const told: string[] = [];
  const events = await holdEvents();
  const listening = createEventFeed({ db, wake, log, stopping: stopping.signal })
    .listen((fed) => void told.push(...fed.events.map(({ subject }) => subject)))
    .then(() => happened.push("listens"));
  await events.wanted();
  happened.push("free");
  await events.letGo();
  await listening;
  expect(happened).toEqual(["free", "listens"]);
  await tell("after");
  await until(() => told.includes("service:after"));
});

test("who listens just when the only other one goes is told too", async () => {
  const feed = createEventFeed({ db, wake, log, stopping: stopping.signal });
  const silence = await feed.listen(() => {});
  const events = await holdEvents();
  await events.wanted();
  silence();
  const told: string[] = [];
  const listening = feed.listen((fed) => void told.push(...fed.events.map(({ subject }) => subject)));
  await events.letGo();
  await listening;
  await tell("anew");
  await until(() => told.includes("service:anew"));
});

test("an event whose transaction ends after a later one's is told too", async () => {
  const { told } = await listener();
  let finish = () => {};
  const begun = Promise.withResolvers<void>();
  const slow = db.transaction().execute(async (tx) => {
    await emit(tx, "service:slow", "fleet.service-changed", { service: "slow", commit: "b".repeat(40) });
    begun.resolve();
    await new Promise<void>((resolve) => (finish = resolve));
  });
  await begun.promise;
  await until(async () => {
    await tell("fast");
    return told().some(({ subject }) => subject === "service:fast");
  });
  finish();
  await slow;
  await until(() => told().some(({ subject }) => subject === "service:slow"));
});

test("of what changes too often to be an event the subject is told, many times at once as one", async () => {
  const { told, changed } = await listener();
  const change = (subject: string) => db.transaction().execute((tx) => notify(tx, changeOf(subject)));
  await until(async () => {
    await change("build:ready");
    return changed().includes("build:ready");
  });
  for (let turn = 0; turn < 20; turn++) await change("build:one");
  await change("build:two");
  await until(() => changed().includes("build:two"));
  expect(changed().filter((subject) => subject === "build:one").length).toBeLessThan(20);
  expect(changed()).toContain("build:one");
  expect(told()).toEqual([]);
});

test("while somebody looks at live figures, all are told when to look again, and not after", async () => {
  const { beats } = await listener();
  expect(beats()).toBe(0);
  await until(() => {
    pulse.looked();
    return beats() >= 3;
  });
  await until(async () => {
    const before = beats();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return beats() === before;
  });
});

test("who is nobody is told nothing, and the stream ends when the server stops", async () => {
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(url, { headers: { authorization: "Bearer bad" } })).status).toBe(401);
  const { ended } = await listener();
  stopping.abort();
  await ended;
});
