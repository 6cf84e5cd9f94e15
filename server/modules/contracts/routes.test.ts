import { afterAll, beforeAll, expect, test } from "vitest";
import { contractEndpoints } from "#api/endpoints/contracts.ts";
import { isRefusal } from "#api/errors.ts";
import type { Context } from "#kernel/http.ts";
import { publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { contractRoutes } from "./routes.ts";

let database: TestDatabase;
let broker: TestBroker;

const asks = (body: object) => [
  { description: "a product", request: { method: "GET", path: "/1" }, response: { status: 200, body } },
];

beforeAll(async () => {
  database = await testDatabase();
  broker = await startTestBroker(database.url);
  const publish = (consumer: string, version: string, body: object) =>
    broker.client(
      "POST",
      "/contracts/publish",
      publication({ consumer, version, provider: "catalog", interactions: asks(body) }),
    );
  await publish("orders", "1", { price: { gross: 1 } });
  await publish("orders", "2", { price: { total: 1 } });
  await publish("web", "1", { name: "rope" });
  const { body } = await broker.client("GET", "/pacts/provider/catalog/consumer/web/latest");
  await broker.client("POST", body._links["pb:publish-verification-results"].href, {
    success: true,
    providerApplicationVersion: "9",
  });
  const { body: made } = await broker.client("POST", "/environments", { name: "prod", production: true });
  await broker.client("POST", `/pacticipants/orders/versions/1/deployed-versions/environment/${made.uuid}`, {});
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const ask = async (name: keyof typeof contractEndpoints, query: object) => {
  const handler = contractRoutes(database.db)[name] as (input: object, context: Context) => Promise<unknown>;
  const answer = await handler({ query }, {} as Context);
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into, by the names that it expects there
  return (isRefusal(answer) ? answer : contractEndpoints[name].response.parse(answer)) as any;
};

test("the network names each pair with its newest pact and its newest result", async () => {
  expect((await ask("listContracts", {})).contracts).toMatchObject([
    { consumer: "orders", provider: "catalog", version: "2", result: null },
    { consumer: "web", provider: "catalog", version: "1", result: { success: true, version: "9" } },
  ]);
  expect((await ask("listContracts", { of: "web" })).contracts).toHaveLength(1);
});

test("two versions of a contract are compared, the newest with the one before that says something else", async () => {
  expect(await ask("diffContract", { consumer: "orders", provider: "catalog" })).toMatchObject({
    ...{ from: "1", to: "2" },
    changes: [
      { path: "response.body.price.gross", after: null },
      { path: "response.body.price.total", before: null },
    ],
  });
  expect(await ask("diffContract", { consumer: "orders", provider: "catalog", from: "2", to: "1" })).toMatchObject({
    from: "2",
  });
  expect(await ask("diffContract", { consumer: "web", provider: "catalog" })).toMatchObject({ refused: "not-found" });
  expect(await ask("diffContract", { consumer: "nobody", provider: "catalog" })).toMatchObject({
    refused: "not-found",
  });
});

test("who relies on a field: the newest versions, and those that serve", async () => {
  expect((await ask("listFieldUses", { provider: "catalog", field: "price" })).uses).toMatchObject([
    { consumer: "orders", version: "2", environments: [], path: "$.price" },
    { consumer: "orders", version: "1", environments: ["prod"], path: "$.price" },
  ]);
  expect((await ask("listFieldUses", { provider: "catalog", field: "stock" })).uses).toEqual([]);
  expect(await ask("listFieldUses", { provider: "nobody", field: "x" })).toMatchObject({ refused: "not-found" });
});

test("where the newest version may go, with the reason where it may not", async () => {
  expect(await ask("showContractFit", { of: "web" })).toEqual({
    version: "1",
    environments: [
      { environment: "prod", answer: "unknown", reasons: [expect.stringContaining("catalog does not serve in prod")] },
    ],
  });
  expect((await ask("showContractFit", { of: "catalog" })).environments).toMatchObject([
    {
      environment: "prod",
      answer: "unknown",
      reasons: [expect.stringMatching(/catalog 9 has not verified yet what orders 1/)],
    },
  ]);
  expect(await ask("showContractFit", { of: "nobody" })).toMatchObject({ refused: "not-found" });
});

test("calls of webhooks are listed with what became of them, the newest first", async () => {
  expect(await ask("listContractCalls", {})).toEqual({ calls: [] });
  const request = { url: "https://ci.example.com/x", method: "POST" };
  const made = await broker.client("POST", "/webhooks", { events: [{ name: "contract_published" }], request });
  expect(made.status).toBe(201);
  const given = { consumer: "late", version: "1", provider: "catalog" };
  for (const version of ["1", "2"])
    await broker.client("POST", "/contracts/publish", publication({ ...given, version }));
  const { calls } = await ask("listContractCalls", {});
  expect(calls).toMatchObject(
    ["2", "1"].map((version) => ({ ...given, version, event: "contract_published", state: expect.any(String) })),
  );
});
