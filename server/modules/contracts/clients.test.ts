/** The real clients, each with every command that it has for a broker: one server, at its root for one, below a path for the other. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { MatchersV3, PactV4, Verifier } from "@pact-foundation/pact";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokerClient, interaction, publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { commands, rubyClient, rustClient } from "#testing/pact-clients.ts";

const patience = 300_000;

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
  await broker[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const admin = (...request: Parameters<TestBroker["client"]>) => broker.client(...request);

describe.each([rustClient, rubyClient])("the command line client, $tag", (client) => {
  const { tag } = client;
  const [web, orders, prod] = [`web ${tag}/ü`, `orders-${tag}`, `prod-${tag}`];
  const version = "1.0.0+abc";
  const { works, fails } = commands(client, () => ({ broker, folder }));

  test(
    "publishes, and is told what is wrong with what it publishes",
    async () => {
      const pact = (path: string) => {
        const [found] = publication({
          ...{ consumer: web, version, provider: orders },
          interactions: [{ ...interaction(path), providerState: "there is some" }],
        }).contracts;
        return Buffer.from(found?.content ?? "", "base64");
      };
      await writeFile(join(folder, `${tag}.json`), pact("/a"));
      await writeFile(join(folder, `${tag}-changed.json`), pact("/b"));
      const how = ["--consumer-app-version", version, "--branch", "main", "--tag", "t1"];
      expect(await works("publish", `${tag}.json`, ...how)).toContain("successfully published");
      await works("publish", `${tag}.json`, ...how);
      await fails(/Cannot change the content/, "publish", `${tag}-changed.json`, ...how);
      await works("publish", `${tag}-changed.json`, ...how, "--merge");
      expect(await works("list-latest-pact-versions")).toContain(orders);
    },
    patience,
  );

  test(
    "keeps environments, and what serves in them",
    async () => {
      await works("create-environment", "--name", prod, "--display-name", "Production", "--production");
      await fails(/already exists/, "create-environment", "--name", prod, "--production");
      expect(await works("list-environments")).toContain(prod);
      const { body } = await admin("GET", "/environments");
      const uuid =
        (body._embedded.environments as { name: string; uuid: string }[]).find(({ name }) => name === prod)?.uuid ?? "";
      expect(await works("describe-environment", "--uuid", uuid)).toContain(prod);
      await works("update-environment", "--uuid", uuid, "--name", prod, "--display-name", "P", "--production");
      const of = ["--pacticipant", orders, "--version", "7", "--environment", prod];
      await works("create-or-update-version", "--pacticipant", orders, "--version", "7", "--branch", "main");
      await works("record-deployment", ...of);
      await works("record-deployment", ...of, "--application-instance", "blue");
      await fails(
        /not found|does not exist/i,
        "record-deployment",
        "--pacticipant",
        orders,
        "--version",
        "99",
        "--environment",
        prod,
      );
      await works(
        "record-undeployment",
        "--pacticipant",
        orders,
        "--environment",
        prod,
        "--application-instance",
        "blue",
      );
      await works("record-release", ...of);
      await works("record-support-ended", ...of);
      await works("create-environment", "--name", `gone-${tag}`);
      const all = (await admin("GET", "/environments")).body._embedded.environments as { name: string; uuid: string }[];
      const gone = ["--uuid", all.find(({ name }) => name === `gone-${tag}`)?.uuid ?? ""];
      await works("delete-environment", ...gone);
      await fails(/not found|does not exist/i, "delete-environment", ...gone);
      const serving = await admin("GET", `/environments/${uuid}/deployed-versions/currently-deployed`);
      expect(serving.body._embedded.deployedVersions).toHaveLength(1);
    },
    patience,
  );

  test(
    "asks whether it may deploy: unknown, no, yes",
    async () => {
      const question = ["can-i-deploy", "--pacticipant", web, "--version", version, "--to-environment", prod];
      await fails(/no verified pact between/, ...question);
      await fails(/no verified pact between/, ...question, "--retry-while-unknown", "1", "--retry-interval", "1");
      await fails(/no verified pact between/, ...question.slice(0, 5), "--to", "t1");
      await works(...question, "--ignore", orders);
      await fails(
        /Pacticipant nobody not found/,
        "can-i-deploy",
        "--pacticipant",
        "nobody",
        "--version",
        "1",
        "--to-environment",
        prod,
      );
      expect(
        await works("can-i-deploy", "--pacticipant", orders, "--version", "7", "--to-environment", prod),
      ).toContain("no missing dependencies");
      const pact = await admin("GET", `/pacts/provider/${orders}/consumer/${encodeURIComponent(web)}/latest`);
      const { href } = pact.body._links["pb:publish-verification-results"];
      await admin("POST", href, { success: false, providerApplicationVersion: "7" });
      await fails(/failed/, ...question);
      await admin("POST", href, { success: true, providerApplicationVersion: "7" });
      expect(await works(...question)).toContain("yes");
      await works("can-i-merge", "--pacticipant", web, "--version", version);
      await works(
        "can-i-deploy",
        "--pacticipant",
        web,
        "--version",
        version,
        "--pacticipant",
        orders,
        "--latest",
        "--to-environment",
        prod,
      );
    },
    patience,
  );

  test(
    "keeps webhooks: created, changed under a uuid, tried, and refused with the reason",
    async () => {
      const got: string[] = [];
      await using there = await answering({ taken: true }, (path, body) => got.push(`${path} ${body}`));
      const call = (path: string) => [
        ...[`${there.url}/${path}`, "--request", "POST", "--header", "Content-Type: application/json"],
        ...["--data", '{"of":"${pactbroker.consumerName}"}', "--user", "me:pw", "--contract-published"],
      ];
      await works("create-webhook", ...call("pair"), "--consumer", web, "--provider", orders, "--description", "to CI");
      await works("create-webhook", ...call("all"), "--provider", orders);
      const uuid = (await works("generate-uuid")).trim();
      const named = ["--uuid", uuid, "--consumer", web, "--provider-verification-failed"];
      await works("create-or-update-webhook", ...call("named"), ...named);
      await works("create-or-update-webhook", ...call("renamed"), ...named);
      const tried = await works("test-webhook", "--uuid", uuid);
      expect(tried).toContain("200");
      expect(got).toEqual([`/renamed ${JSON.stringify({ of: web })}`]);
      await fails(/TOWLINE_WEBHOOK_HOSTS/, "create-webhook", "https://elsewhere.example/", ...call("x").slice(1));
      await fails(/stranger/, "create-webhook", ...call("x"), "--consumer", "stranger");
      const { body } = await admin("GET", `/webhooks/provider/${orders}/consumer/${encodeURIComponent(web)}`);
      const [made] = body._embedded.webhooks as { description: string; request: object }[];
      expect(made).toMatchObject({ description: "to CI", request: { username: "me", password: "**********" } });
    },
    patience,
  );

  test(
    "keeps pacticipants, versions, tags and branches",
    async () => {
      await works("create-or-update-pacticipant", "--name", orders, "--main-branch", "trunk");
      await works(
        "create-or-update-pacticipant",
        "--name",
        `fresh-${tag}`,
        "--repository-url",
        "https://git.example.com/fresh",
      );
      expect(await works("describe-pacticipant", "--name", orders)).toContain("trunk");
      expect(await works("list-pacticipants")).toContain(`fresh-${tag}`);
      await works("create-version-tag", "--pacticipant", orders, "--version", "7", "--tag", "x");
      await works(
        "create-version-tag",
        "--pacticipant",
        orders,
        "--version",
        "8",
        "--tag",
        "y",
        "--auto-create-version",
      );
      await fails(
        /not found|does not exist/i,
        "create-version-tag",
        "--pacticipant",
        orders,
        "--version",
        "100",
        "--tag",
        "x",
      );
      expect(await works("describe-version", "--pacticipant", orders, "--version", "7")).toContain("x");
      expect(await works("describe-version", "--pacticipant", orders)).toContain("8");
      await works("delete-branch", "--pacticipant", orders, "--branch", "main");
      expect((await admin("GET", `/pacticipants/${orders}/branches/main`)).status).toBe(404);
    },
    patience,
  );
});

test(
  "what only the newer command line client can",
  async () => {
    const given = { consumer: "seen", version: "1", provider: "states", branch: "main", tags: ["gone"] };
    const interactions = [{ ...interaction("/a"), providerState: "there is some" }];
    await admin("POST", "/contracts/publish", publication({ ...given, interactions }));
    const { works } = commands(rustClient, () => ({ broker, folder }));
    expect(await works("provider-states", "list", "--provider", "states")).toContain("there is some");
    expect(await works("get-pacts", "--provider", "states")).toContain("seen");
    expect(await works("get-pacts", "--provider", "states", "--branch", "main", "--latest")).toContain("seen");
    const tag = ["delete-version-tag", "--pacticipant", "seen", "--version", "1", "--tag", "gone"];
    expect(await works(...tag)).toContain("Successfully deleted");
    expect((await admin("GET", "/pacticipants/seen/versions/1/tags/gone")).status).toBe(404);
    const stranger = commands(rustClient, () => ({ broker: { ...broker, token: "tw_wrong" }, folder }));
    await stranger.fails(/\S/, "list-pacticipants");
  },
  patience,
);

/** A server that answers this to everything. */
async function answering(
  body: object,
  hears: (path: string, body: string) => void = () => undefined,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    void text(request).then((asked) => {
      hears(request.url ?? "", asked);
      response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const dispose = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose };
}

test(
  "a consumer's test writes a pact, the verifier fetches it and publishes: pending first, then held to it",
  async () => {
    process.env["PACT_DO_NOT_TRACK"] = "true";
    const pact = new PactV4({ consumer: "shop", provider: "stock", dir: folder, logLevel: "error" });
    await pact
      .addInteraction()
      .given("there is some")
      .uponReceiving("a request for stock")
      .withRequest("GET", "/stock")
      .willRespondWith(200, (answer) => answer.jsonBody(MatchersV3.like({ count: 3 })))
      .executeTest(async ({ url }) => void (await fetch(`${url}/stock`)));
    const written = await readFile(join(folder, "shop-stock.json"));
    const given = publication({ consumer: "shop", version: "1", provider: "stock", branch: "main" });
    const contracts = given.contracts.map((each) => ({ ...each, content: written.toString("base64") }));
    expect((await admin("POST", "/contracts/publish", { ...given, contracts })).status).toBe(200);

    const verify = async (version: string, body: object) => {
      await using provider = await answering(body);
      return await new Verifier({
        ...{ provider: "stock", providerBaseUrl: provider.url, logLevel: "error" as const },
        ...{ pactBrokerUrl: broker.below, pactBrokerToken: broker.token, publishVerificationResult: true },
        ...{ providerVersion: version, providerVersionBranch: "main", enablePending: true },
        ...{ consumerVersionSelectors: [{ mainBranch: true }], includeWipPactsSince: "2020-01-01" },
        stateHandlers: { "there is some": async () => undefined },
      }).verifyProvider();
    };
    await verify("1", { wrong: true });
    await verify("2", { count: 1 });
    await expect(verify("3", { wrong: true })).rejects.toThrow("count");

    const { body } = await brokerClient(
      broker.below,
      `Bearer ${broker.token}`,
    )(...(["GET", "/matrix?q[][pacticipant]=shop&q[][version]=1&q[][pacticipant]=stock&latestby=cvpv"] as const));
    type Found = {
      provider: { version: { number: string; branch: string } };
      verificationResult: { success: boolean };
    };
    const rows = (body.matrix as Found[]).map(({ provider, verificationResult }) => [
      ...[provider.version.number, provider.version.branch],
      verificationResult.success,
    ]);
    expect(rows).toEqual([
      ["3", "main", false],
      ["2", "main", true],
      ["1", "main", false],
    ]);
    const [last] = body.matrix as { verificationResult: { _links: { self: { href: string } } } }[];
    const result = await admin("GET", last?.verificationResult._links.self.href ?? "");
    expect(result.body.testResults[0]).toMatchObject({
      interactionId: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      success: false,
    });
  },
  patience,
);
