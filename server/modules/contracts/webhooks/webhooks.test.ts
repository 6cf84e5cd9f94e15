import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { interaction, publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { heldClock } from "#testing/builds-place.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";

let database: TestDatabase;
let home: string;
beforeAll(async () => {
  database = await testDatabase();
  home = await mkdtemp(join(tmpdir(), "towline-webhooks-"));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
  await database[Symbol.asyncDispose]();
});

const webhookHosts = ["http://127.0.0.1"];
/** The held clock lies in the past, so that what is put off is due at once. */
const start = (hosts: readonly string[] = webhookHosts): Promise<TestBroker> =>
  startTestBroker(database.url, { home, clock: heldClock(), webhookHosts: hosts });

interface Got {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Answers these in turn, then 200. */
async function receiver(answers: number[] = [], says = "ok") {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ path: request.url ?? "", headers: request.headers, body });
      response.writeHead(answers.shift() ?? 200).end(says);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const dispose = () => {
    server.closeAllConnections();
    server.close();
  };
  return { got, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: dispose };
}

const all = { consumer: "${pactbroker.consumerName}", of: "${pactbroker.eventName}" };

async function made(broker: TestBroker, request: object, more: object = {}): Promise<string> {
  const events = [{ name: "contract_published" }];
  const given = { events, request: { method: "POST", headers: {}, body: all, ...request }, ...more };
  const { status, body } = await broker.client("POST", "/webhooks", given);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.uuid as string;
}

interface Shown {
  status: string;
  attemptsMade: number;
  name: string;
  _links: { "pb:logs": { href: string } };
}
const callsOf = async ({ client }: TestBroker, uuid: string): Promise<Shown[]> =>
  (await client("GET", `/webhooks/${uuid}/triggered-webhooks`)).body._embedded.triggeredWebhooks;

const publish = ({ client }: TestBroker, consumer: string, version: string, path = "/a") =>
  client(
    "POST",
    "/contracts/publish",
    publication({
      consumer,
      version,
      provider: `${consumer}-stock`,
      branch: "main",
      interactions: [interaction(path)],
    }),
  );

test("a receiver that fails twice is asked again until it takes it, and the log tells each try without secrets", async () => {
  await using broker = await start();
  using there = await receiver([500, 503], "not now");
  const headers = { Authorization: "Bearer s3cret", "X-Of": "${pactbroker.consumerVersionNumber}" };
  const uuid = await made(broker, { url: `${there.url}/build?token=s3cret`, headers });
  await publish(broker, "shop", "1.0");
  await until(async () => (await callsOf(broker, uuid))[0]?.status === "success");
  expect(there.got).toHaveLength(3);
  expect(there.got[2]).toMatchObject({
    path: "/build?token=s3cret",
    headers: { authorization: "Bearer s3cret", "x-of": "1.0", "content-type": "application/json" },
    body: JSON.stringify({ consumer: "shop", of: "contract_published" }),
  });
  const [call] = await callsOf(broker, uuid);
  expect(call).toMatchObject({ name: "contract_published", attemptsMade: 3 });
  const { body } = await broker.client("GET", call?._links["pb:logs"].href ?? "");
  expect(body.logs).not.toContain("s3cret");
  for (const words of ["answer: 500", "tried again in 10 seconds", "answer: 503", "answer: 200", "not now", "taken"])
    expect(body.logs).toContain(words);
  const pact = await broker.client("GET", "/pacts/provider/shop-stock/consumer/shop/version/1.0");
  const told = await broker.client("GET", pact.body._links["pb:triggered-webhooks"].href);
  expect(told.body._embedded.triggeredWebhooks).toMatchObject([{ status: "success" }]);
});

test("what a server that was killed had to tell is told by the next one", async () => {
  // Nothing listens there until the second server runs.
  using there = await receiver();
  const { port } = new URL(there.url);
  {
    await using broker = await startTestBroker(database.url, { home, webhookHosts });
    await made(
      broker,
      { url: `http://127.0.0.1:1/` },
      { events: [{ name: "contract_content_changed" }], description: "x" },
    );
    const { body } = await broker.client("GET", "/webhooks");
    const uuid = (body._embedded.webhooks as { uuid: string; description?: string }[]).find(
      ({ description }) => description === "x",
    )?.uuid;
    await publish(broker, "lost", "1");
    await until(async () => (await callsOf(broker, uuid ?? ""))[0]?.attemptsMade === 1);
    const moved = {
      events: [{ name: "contract_content_changed" }],
      request: { method: "POST", url: `http://127.0.0.1:${port}/` },
    };
    expect((await broker.client("PUT", `/webhooks/${uuid}`, moved)).status).toBe(200);
  }
  expect(there.got).toHaveLength(0);
  await using _next = await start();
  await sql`update jobs set run_at = now() where task = 'contracts.webhook'`.execute(database.db);
  await until(() => there.got.length === 1);
});

test("each event calls those that listen for it: by name, by label, of all, and none that is switched off", async () => {
  await using broker = await start();
  using there = await receiver();
  const { client } = broker;
  await publish(broker, "web", "0", "/old");
  await client("PUT", "/pacticipants/web-stock/labels/hot", "");
  await client("PUT", "/pacticipants/web-stock/branches/main/versions/7", {});
  const at = (path: string) => ({
    url: `${there.url}/${path}`,
    body: "${pactbroker.eventName} ${pactbroker.providerVersionNumber} ${pactbroker.githubVerificationStatus}",
  });
  const on = (...events: string[]) => ({ events: events.map((name) => ({ name })) });
  await made(broker, at("changed"), { ...on("contract_content_changed"), consumer: { name: "web" } });
  await made(broker, at("needs"), { ...on("contract_requiring_verification_published"), provider: { label: "hot" } });
  await made(broker, at("results"), {
    ...on("provider_verification_published", "provider_verification_failed"),
    consumer: { name: "web" },
  });
  await made(broker, at("off"), { ...on("contract_published"), enabled: false });
  await made(broker, at("other"), { ...on("contract_published"), provider: { label: "cold" } });
  await publish(broker, "web", "1", "/new");
  await publish(broker, "web", "2", "/new");
  const told = () => there.got.map(({ path, body }) => `${path} ${body}`).toSorted();
  await until(() => there.got.length >= 3);
  const pact = await client("GET", "/pacts/provider/web-stock/consumer/web/latest");
  const result = { success: false, providerApplicationVersion: "7" };
  await client("POST", pact.body._links["pb:publish-verification-results"].href, result);
  await until(() => there.got.length >= 5);
  expect(told()).toEqual([
    "/changed contract_content_changed  pending",
    "/needs contract_requiring_verification_published 7 pending",
    "/needs contract_requiring_verification_published 7 pending",
    "/results provider_verification_failed 7 failure",
    "/results provider_verification_published 7 failure",
  ]);
});

test("what is no webhook, or would reach where it may not, is refused by field", async () => {
  await using broker = await start([]);
  const { client } = broker;
  const request = { method: "POST", url: "https://ci.example.com/" };
  const events = [{ name: "contract_published" }];
  const refused = async (body: object, field: string) => {
    const answer = await client("POST", "/webhooks", body);
    expect([answer.status, Object.keys(answer.body.errors)]).toEqual([400, [field]]);
  };
  await refused({ events, request: { ...request, url: "http://ci.example.com/" } }, "request.url");
  await refused({ events, request: { ...request, url: "https://${pactbroker.consumerName}/" } }, "request.url");
  await refused({ events, request: { ...request, method: "GET" } }, "request.method");
  await refused({ events: [], request }, "events");
  await refused({ events: [{ name: "x" }], request }, "events.0.name");
  await refused({ events, request, consumer: { name: "stranger" } }, "consumer.name");
  await refused({ events, request: { ...request, headers: { Host: "x" } } }, "request.headers.Host");
  await refused({ events, request: { ...request, headers: { a: "1\r\nb: 2" } } }, "request.headers.a");
  expect((await client("PUT", "/webhooks/short", { events, request })).status).toBe(400);
  expect((await client("GET", "/webhooks/0000000000000000")).status).toBe(404);
  // By https, and a name that leads to this machine: refused by the address that it leads to.
  const uuid = await made(broker, { url: "https://localhost:1/" });
  const done = await client("POST", `/webhooks/${uuid}/execute`);
  expect(done.body).toMatchObject({
    success: false,
    error: { message: expect.stringContaining("this machine") as string },
  });
});
