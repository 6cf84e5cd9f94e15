/** What the real command line clients tell their users when something is not there or not as it must be, command by command. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interaction, publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { commands, rubyClient, rustClient } from "#testing/pact-clients.ts";

const patience = 300_000;
const unknownUuid = "00000000-0000-4000-8000-000000000000";

let database: TestDatabase;
let broker: TestBroker;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  broker = await startTestBroker(database.url, { webhookHosts: ["http://127.0.0.1"] });
  folder = await mkdtemp(join(tmpdir(), "towline-pacts-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await broker?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const place = () => ({ broker, folder });

async function uuidOf(environment: string): Promise<string> {
  const { body } = await broker.client("GET", "/environments");
  const all = body._embedded.environments as { name: string; uuid: string }[];
  return all.find(({ name }) => name === environment)?.uuid ?? "";
}

const published = (consumer: string) =>
  broker.client("POST", "/contracts/publish", publication({ consumer, version: "1", provider: `of-${consumer}` }));

describe.each([rustClient, rubyClient])("the command line client, $tag", (client) => {
  const { tag } = client;
  const { works, fails } = commands(client, place);
  const [service, prod] = [`service-${tag}`, `prod-${tag}`];
  const of = ["--pacticipant", service];
  const at = ["--environment", prod];

  beforeAll(async () => {
    await works("create-environment", "--name", prod, "--production");
    await works("create-or-update-version", ...of, "--version", "1", "--branch", "main");
  });

  test(
    "of an environment: one that is not there, a name that is taken or none, and whom to ask about it",
    async () => {
      for (const uuid of [unknownUuid, "nonsense"]) {
        await fails(/not found/i, "describe-environment", "--uuid", uuid);
        await fails(/not found/i, "update-environment", "--uuid", uuid, "--name", "x");
        await fails(/not found/i, "delete-environment", "--uuid", uuid);
      }
      const [taken, changed] = [`taken-${tag}`, `changed-${tag}`];
      await works("create-environment", "--name", taken);
      const who = ["--contact-name", "Ann of Operations", "--contact-email-address", "ann@example.com"];
      await works("create-environment", "--name", changed, "--display-name", "Before", ...who);
      const uuid = await uuidOf(changed);
      await fails(/cannot contain spaces/, "create-environment", "--name", "a b");
      await fails(/cannot contain spaces/, "update-environment", "--uuid", uuid, "--name", "a b");
      await fails(/already exists/, "update-environment", "--uuid", uuid, "--name", taken);
      const kept = await works("describe-environment", "--uuid", uuid);
      for (const said of [changed, "Before", "Ann of Operations"]) expect(kept).toContain(said);
      // The newer client sends the address, and shows none.
      expect((await broker.client("GET", `/environments/${uuid}`)).body.contacts).toEqual([
        { name: "Ann of Operations", details: { emailAddress: "ann@example.com" } },
      ]);
      await works("update-environment", "--uuid", uuid, "--name", changed, "--display-name", "After", "--production");
      expect(await works("describe-environment", "--uuid", uuid)).toMatch(/After[^]*true/);
    },
    patience,
  );

  test(
    "of a deployment that ends: nowhere, of nobody, that is not there or not in this instance, and twice",
    async () => {
      const end = ["record-undeployment", ...of];
      await fails(/nowhere/, ...end, "--environment", "nowhere");
      await fails(/nobody/, "record-undeployment", "--pacticipant", "nobody", ...at);
      await fails(/not currently deployed/, ...end, ...at);
      await works("record-deployment", ...of, "--version", "1", ...at);
      await fails(
        /not currently deployed to application instance 'blue'/,
        ...end,
        ...at,
        "--application-instance",
        "blue",
      );
      await works(...end, ...at);
      await fails(/not currently deployed/, ...end, ...at);
      await fails(/nowhere/, "record-deployment", ...of, "--version", "1", "--environment", "nowhere");
      await fails(/not found/i, "record-deployment", "--pacticipant", "nobody", "--version", "1", ...at);
    },
    patience,
  );

  test(
    "of a release whose support ends: nowhere, of nobody, of another version, and twice",
    async () => {
      const end = ["record-support-ended", ...of];
      const not = /not currently released|No currently released/;
      await fails(/nowhere/, ...end, "--version", "1", "--environment", "nowhere");
      await fails(/nobody/, "record-support-ended", "--pacticipant", "nobody", "--version", "1", ...at);
      await fails(not, ...end, "--version", "1", ...at);
      await works("record-release", ...of, "--version", "1", ...at);
      const supported = `/environments/${await uuidOf(prod)}/released-versions/currently-supported`;
      await works("create-or-update-version", ...of, "--version", "2", "--branch", "main");
      await fails(not, ...end, "--version", "2", ...at);
      expect((await broker.client("GET", supported)).body._embedded.releasedVersions).toHaveLength(1);
      await works(...end, "--version", "1", ...at);
      expect((await broker.client("GET", supported)).body._embedded.releasedVersions).toEqual([]);
      await fails(not, ...end, "--version", "1", ...at);
      await fails(/not found/i, "record-release", ...of, "--version", "99", ...at);
      await fails(/nowhere/, "record-release", ...of, "--version", "1", "--environment", "nowhere");
    },
    patience,
  );

  test(
    "of pacticipants, versions and branches that are not there, and names that are none",
    async () => {
      await fails(/not found/i, "describe-pacticipant", "--name", "nobody");
      await fails(/not found/i, "describe-version", "--pacticipant", "nobody");
      await fails(/not found/i, "describe-version", ...of, "--version", "99");
      await fails(/not found/i, "describe-version", ...of, "--latest", "none");
      await fails(/not found/i, "can-i-merge", "--pacticipant", "nobody", "--version", "1");
      await fails(/no such version: version 99/, "can-i-merge", ...of, "--version", "99");
      await fails(
        /name|blank|text/,
        "create-or-update-version",
        "--pacticipant",
        "  ",
        "--version",
        "1",
        "--branch",
        "main",
      );
      await fails(/name|blank|text/, "create-or-update-pacticipant", "--name", "  ");
      expect((await broker.client("GET", "/pacticipants")).text).not.toContain("nobody");
    },
    patience,
  );

  test(
    "of files that are no pacts, and of one that is too large",
    async () => {
      await writeFile(join(folder, "text.json"), "no JSON");
      for (const file of ["text.json", "missing.json"])
        await fails(/JSON|does not exist/, "publish", file, "--consumer-app-version", "1");
      const interactions = [{ ...interaction("/a"), description: "x".repeat(20_000_000) }];
      const names = { consumer: { name: `large-${tag}` }, provider: { name: service } };
      await writeFile(join(folder, "large.json"), JSON.stringify({ ...names, interactions }));
      await fails(/larger than the 16777216 bytes/, "publish", "large.json", "--consumer-app-version", "1");
    },
    patience,
  );

  test(
    "of webhooks: unknown, badly named, or by another method",
    async () => {
      await fails(/not found/i, "test-webhook", "--uuid", unknownUuid);
      const call = ["http://127.0.0.1/x", "--provider", service, "--contract-published", "--request"];
      await fails(/generate-uuid makes one/, "create-or-update-webhook", ...call, "POST", "--uuid", "short");
      await fails(/must be POST/, "create-webhook", ...call, "GET");
    },
    patience,
  );
});

test(
  "the commands that only the newer client has",
  async () => {
    const { run, works, fails } = commands(rustClient, place);
    await published("only");
    const none = ["--provider", "nobody"];
    await fails(/not found/i, "get-pacts", ...none);
    await fails(/not found/i, "provider-states", "list", ...none);
    await fails(/not found/i, "provider-states", "list", "--provider", "of-only", "--environment", "nowhere");
    await fails(/not found/i, "describe-version", "--pacticipant", "only", "--environment", "nowhere");
    // These take what is gone as done: they tell it, and end well.
    for (const command of [
      ["delete-version-tag", "--pacticipant", "only", "--version", "1", "--tag", "none"],
      ["delete-webhook", "--uuid", unknownUuid],
      ["delete-branch", "--pacticipant", "only", "--branch", "none"],
    ])
      expect(await run(...command)).toEqual({ code: 0, output: expect.stringMatching(/not found/) as string });

    const uuid = (await works("generate-uuid")).trim();
    const call = ["http://127.0.0.1/x", "--request", "POST", "--provider", "of-only", "--contract-published"];
    await works("create-or-update-webhook", ...call, "--uuid", uuid);
    await works("delete-webhook", "--uuid", uuid);
    expect((await broker.client("GET", `/webhooks/${uuid}`)).status).toBe(404);
  },
  patience,
);

test(
  "the older client fails where a branch is gone",
  async () => {
    const { fails } = commands(rubyClient, place);
    await published("branchless");
    for (const whose of ["branchless", "nobody"])
      await fails(/not found/, "delete-branch", "--pacticipant", whose, "--branch", "none");
  },
  patience,
);
