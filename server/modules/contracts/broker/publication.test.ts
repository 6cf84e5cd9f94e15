/** Publishing several contracts in one request. */
import { expect, test } from "vitest";
import { interaction, publication, startTestBroker } from "#testing/broker.ts";
import { testDatabase } from "#testing/database.ts";

test("parts for several providers in one request are merged one after the other, and told in their order", async () => {
  await using database = await testDatabase();
  await using broker = await startTestBroker(database.url);
  const part = (provider: string, path: string) =>
    publication({
      ...{ consumer: "mixed", version: "1", provider },
      ...{ interactions: [interaction(path)], onConflict: "merge" },
    }).contracts;
  const contracts = [...part("api", "/a"), ...part("stock", "/s"), ...part("api", "/b")];
  const given = publication({ consumer: "mixed", version: "1", provider: "api" });
  const { status, body } = await broker.client("POST", "/contracts/publish", { ...given, contracts });
  expect(status).toBe(200);
  const told = (body.notices as { type: string; text: string }[]).filter(({ type }) => type === "success");
  expect(told.map(({ text }) => text)).toEqual([
    "Pact successfully published for mixed version 1 and provider api (the first between the two).",
    "Pact successfully published for mixed version 1 and provider stock (the first between the two).",
    "Pact re-published for mixed version 1 and provider api (the content changed).",
  ]);
  const of = async (provider: string): Promise<unknown[]> =>
    (await broker.client("GET", `/pacts/provider/${provider}/consumer/mixed/version/1`)).body.interactions;
  expect([(await of("api")).length, (await of("stock")).length]).toEqual([2, 1]);
});
