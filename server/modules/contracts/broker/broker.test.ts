/** The broker over HTTP: what clients rely on beyond what their commands show. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic, jobToken, userToken } from "#testing/registry.ts";
import { brokerClient, interaction, publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";

let database: TestDatabase;
let broker: TestBroker;
beforeAll(async () => {
  database = await testDatabase();
  broker = await startTestBroker(database.url);
});
afterAll(async () => {
  await broker?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const ask: TestBroker["client"] = (...request) => broker.client(...request);
const publish = (given: Parameters<typeof publication>[0]) => ask("POST", "/contracts/publish", publication(given));

/** The provider's version verifies what that version of the consumer publishes. */
async function verify(consumer: string, version: string, by: { provider: string; version: string; success?: boolean }) {
  const pact = await ask("GET", `/pacts/provider/${by.provider}/consumer/${consumer}/version/${version}`);
  const { href } = pact.body._links["pb:publish-verification-results"];
  return ask("POST", href, { success: by.success ?? true, providerApplicationVersion: by.version });
}

async function environment(name: string): Promise<string> {
  const { status, body } = await ask("POST", "/environments", { name, displayName: name, production: true });
  expect(status).toBe(201);
  return body.uuid;
}

const deploy = (name: string, version: string, uuid: string, more: object = {}) =>
  ask("POST", `/pacticipants/${name}/versions/${version}/deployed-versions/environment/${uuid}`, more);
const may = async (name: string, version: string, place: string) => {
  const query = `q[][pacticipant]=${name}&q[][version]=${version}&latestby=cvp&environment=${place}`;
  return (await ask("GET", `/matrix?${query}`)).body.summary;
};

describe("publishing", () => {
  test("makes pacticipants, version, branch and tags, and tells what to look at and to do next", async () => {
    const { status, body } = await publish({
      consumer: "web",
      version: "1",
      provider: "api",
      branch: "main",
      tags: ["a"],
    });
    expect(status).toBe(200);
    expect(body._links["pb:contracts"][0].href).toBe(`${broker.root}/pacts/provider/api/consumer/web/version/1`);
    expect(body.notices.map(({ type }: { type: string }) => type)).toEqual(["debug", "success", "debug", "prompt"]);
    const version = await ask("GET", "/pacticipants/web/versions/1");
    expect(version.body._embedded.tags[0].name).toBe("a");
    expect(version.body._embedded.branchVersions[0].name).toBe("main");
    expect((await ask("GET", "/pacticipants/web")).body.mainBranch).toBe("main");
  });

  test("a pact comes back as it was written, with an id in each interaction", async () => {
    const text = `{"consumer":{"name":"exact"},"provider":{"name":"api"},"interactions":[{"description":"a","response":{"body":{"price":1.0,"id":12345678901234567890}}}]}`;
    expect((await ask("PUT", "/pacts/provider/api/consumer/exact/version/1", text)).status).toBe(201);
    const answer = await ask("GET", "/pacts/provider/api/consumer/exact/latest");
    expect(answer.text).toContain(`{"price":1.0,"id":12345678901234567890}`);
    expect(answer.body.interactions[0]._id).toMatch(/^[0-9a-f]{40}$/);
    expect((await ask("PUT", "/pacts/provider/api/consumer/exact/version/1", text)).status).toBe(200);
  });

  test("the pact of a version never changes; the difference is told by the names of the interactions", async () => {
    await publish({ consumer: "fixed", version: "1", provider: "api" });
    const { status, body } = await publish({
      consumer: "fixed",
      version: "1",
      provider: "api",
      interactions: [interaction("/b")],
    });
    expect(status).toBe(409);
    expect(body.notices[0]).toMatchObject({
      type: "error",
      text: expect.stringContaining("added: get /b | removed: get /a") as string,
    });
    const kept = await ask("GET", "/pacts/provider/api/consumer/fixed/version/1");
    expect(kept.body.interactions).toHaveLength(1);
  });

  test("parts of one version are merged where the client asks for it, unless they contradict", async () => {
    const part = (path: string, status?: number) =>
      publish({
        consumer: "parts",
        version: "1",
        provider: "api",
        interactions: [interaction(path, status)],
        onConflict: "merge",
      });
    await Promise.all([part("/a"), part("/b"), part("/c")]);
    const merged = await ask("GET", "/pacts/provider/api/consumer/parts/version/1");
    expect(merged.body.interactions).toHaveLength(3);
    expect((await part("/a", 500)).status).toBe(409);
  });

  test("a name that is very like a known one is asked about, once", async () => {
    await publish({ consumer: "Order Service", version: "1", provider: "api" });
    const { status, body } = await publish({ consumer: "order-service", version: "1", provider: "api" });
    expect(status).toBe(409);
    expect(body.errors.contracts[0]).toContain("very similar to Order Service");
    expect((await ask("GET", "/pacticipants/order-service")).status).toBe(404);
    await ask("POST", "/pacticipants", { name: "order-service" });
    expect((await publish({ consumer: "order-service", version: "1", provider: "api" })).status).toBe(200);
  });

  test("all of a request, or nothing of it", async () => {
    const given = publication({ consumer: "whole", version: "1", provider: "api" });
    const [good] = given.contracts;
    const bad = { ...good, providerName: "other", content: Buffer.from("[1]").toString("base64") };
    const { status, body } = await ask("POST", "/contracts/publish", { ...given, contracts: [good, bad] });
    expect(status).toBe(400);
    expect(body.errors).toEqual({ "contracts[1].content": ["must be a JSON object"] });
    expect((await ask("GET", "/pacticipants/whole")).status).toBe(404);
  });

  test("many at a time about the same names end well", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        publish({ consumer: `c${index % 4}`, version: `${index}`, provider: `c${(index + 1) % 4}` }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});

describe("may it be deployed?", () => {
  test("a result of a content counts for every version that publishes the same", async () => {
    const prod = await environment("m1");
    await publish({ consumer: "m1c", version: "1", provider: "m1p" });
    expect((await verify("m1c", "1", { provider: "m1p", version: "10" })).status).toBe(201);
    await deploy("m1p", "10", prod);
    expect(
      (await publish({ consumer: "m1c", version: "2", provider: "m1p" })).body.notices.some(
        ({ type }: { type: string }) => type === "prompt",
      ),
    ).toBe(false);
    expect(await may("m1c", "2", "m1")).toMatchObject({ deployable: true, success: 1, failed: 0, unknown: 0 });
    await publish({ consumer: "m1c", version: "3", provider: "m1p", interactions: [interaction("/new")] });
    expect((await may("m1c", "3", "m1")).deployable).toBe(null);
  });

  test("each version that serves has its say, whatever the client asks to be collapsed", async () => {
    const prod = await environment("m2");
    await publish({ consumer: "m2c", version: "1", provider: "m2p" });
    await verify("m2c", "1", { provider: "m2p", version: "10", success: false });
    await verify("m2c", "1", { provider: "m2p", version: "11" });
    await deploy("m2p", "10", prod, { applicationInstance: "blue" });
    await deploy("m2p", "11", prod, { applicationInstance: "green" });
    const { deployable, reason } = await may("m2c", "1", "m2");
    expect(deployable).toBe(false);
    expect(reason).toContain("the version of m2p in m2 (10) failed");
    await deploy("m2p", "11", prod, { applicationInstance: "blue" });
    expect((await may("m2c", "1", "m2")).deployable).toBe(true);
  });

  test("more results than a page: none is left out, and the newest counts", async () => {
    const prod = await environment("m3");
    await publish({ consumer: "m3c", version: "1", provider: "m3p" });
    const says = (success: boolean) => verify("m3c", "1", { provider: "m3p", version: "1", success });
    await Promise.all(Array.from({ length: 101 }, () => says(true)));
    await says(false);
    await deploy("m3p", "1", prod);
    expect((await may("m3c", "1", "m3")).deployable).toBe(false);
    await says(true);
    expect((await may("m3c", "1", "m3")).deployable).toBe(true);
  });

  test("the rows show both sides; what is ignored is counted", async () => {
    await publish({ consumer: "m4c", version: "1", provider: "m4p" });
    const { body } = await ask(
      "GET",
      "/matrix?q[][pacticipant]=m4c&q[][version]=1&latestby=cvpv&ignore[][pacticipant]=m4p",
    );
    expect(body.summary).toMatchObject({ deployable: true, ignored: 1 });
    expect(body.matrix[0]).toMatchObject({
      consumer: { name: "m4c", version: { number: "1" } },
      provider: { name: "m4p", version: null },
      ...{ verificationResult: null, ignored: true },
    });
  });

  test("what is ignored is shown with the version that it is", async () => {
    const prod = await environment("m5");
    await publish({ consumer: "m5c", version: "1", provider: "m5p" });
    await verify("m5c", "1", { provider: "m5p", version: "10", success: false });
    await deploy("m5p", "10", prod);
    const question =
      "/matrix?q[][pacticipant]=m5c&q[][version]=1&latestby=cvp&environment=m5&ignore[][pacticipant]=m5p";
    const { body } = await ask("GET", question);
    expect(body.summary).toMatchObject({ deployable: true, ignored: 1 });
    expect(body.matrix[0]).toMatchObject({
      provider: { version: { number: "10" } },
      verificationResult: { success: false },
    });
  });

  test("who or what does not exist is the client's mistake", async () => {
    expect(await ask("GET", "/matrix?q[][pacticipant]=nobody&q[][version]=1")).toMatchObject({
      status: 400,
      body: { errors: ["Pacticipant nobody not found"] },
    });
    await ask("POST", "/pacticipants", { name: "somebody" });
    const { status, body } = await ask("GET", "/matrix?q[][pacticipant]=somebody&q[][version]=1&environment=nowhere");
    expect({ status, body }).toEqual({ status: 400, body: { errors: ["Environment with name 'nowhere' not found"] } });
    expect((await ask("GET", "/can-i-deploy?pacticipant=somebody")).status).toBe(400);
  });
});

describe("pacts to verify", () => {
  const wanted = (provider: string, body: object) => ask("POST", `/pacts/provider/${provider}/for-verification`, body);

  test("what was told with a pact comes back with its result: work in progress stays that", async () => {
    await publish({ consumer: "v1c", version: "1", provider: "v1p", branch: "feature" });
    const question = {
      ...{ providerVersionBranch: "main", includePendingStatus: true, includeWipPactsSince: "2020-01-01" },
      consumerVersionSelectors: [{ branch: "none" }],
    };
    const [only] = (await wanted("v1p", question)).body._embedded.pacts;
    expect(only.verificationProperties).toMatchObject({ pending: true, wip: true });
    const pact = await ask("GET", only._links.self.href);
    const result = { success: true, providerApplicationVersion: "1" };
    const taken = await ask("POST", pact.body._links["pb:publish-verification-results"].href, result);
    expect(taken).toMatchObject({ status: 201, body: { wip: true, success: true } });
    await ask("PUT", "/pacticipants/v1p/branches/main/versions/1", {});
    const [still] = (await wanted("v1p", question)).body._embedded.pacts;
    expect(still.verificationProperties.wip).toBe(true);
  });

  test("an empty branch is none; but pending needs to know the line", async () => {
    expect(
      (await wanted("v2p", { providerVersionBranch: "", providerVersionTags: ["main"], includePendingStatus: true }))
        .status,
    ).toBe(200);
    const { status, body } = await wanted("v2p", { providerVersionBranch: "", includePendingStatus: true });
    expect(status).toBe(400);
    expect(body.errors.providerVersionBranch).toHaveLength(1);
    expect((await ask("GET", "/pacts/provider/v2p/for-verification")).body._links.self.href).toContain(
      "/v2p/for-verification",
    );
  });
});

describe("traps that clients set", () => {
  test("an answer without content has no type", async () => {
    await publish({ consumer: "t1", version: "1", provider: "api", tags: ["x"] });
    const { status, headers } = await ask("DELETE", "/pacticipants/t1/versions/1/tags/x");
    expect(status).toBe(204);
    expect(headers["content-type"]).toBeUndefined();
  });

  test("a name may hold a space, a slash and a plus, encoded or not, in paths and queries", async () => {
    const name = "web app/ü+1";
    expect((await publish({ consumer: name, version: "1.0.0+abc", provider: "api" })).status).toBe(200);
    const path = `/pacticipants/${encodeURIComponent(name)}/versions`;
    for (const version of ["1.0.0+abc", "1.0.0%2Babc"])
      expect((await ask("GET", `${path}/${version}`)).body.number).toBe("1.0.0+abc");
    const { href } = (await ask("GET", `/pacts/provider/api/consumer/${encodeURIComponent(name)}/latest`)).body._links
      .self;
    expect((await ask("GET", href)).status).toBe(200);
    const query = `q[][pacticipant]=${encodeURIComponent(name).replaceAll("%20", "+")}&q[][version]=1.0.0%2Babc`;
    expect((await ask("GET", `/matrix?${query}`)).body.summary.unknown).toBe(1);
    expect((await ask("GET", "/pacticipants/web%20app%2F%C3%BC+1?")).status).toBe(200);
  });

  test("a body that its type announces may be missing, or come under another type", async () => {
    await publish({ consumer: "t3", version: "1", provider: "api" });
    expect((await ask("PUT", "/pacticipants/t3/versions/1/tags/a", "")).status).toBe(201);
    expect((await ask("PUT", "/pacticipants/t3/versions/1/tags/a", "")).status).toBe(200);
    const patch = { "content-type": "application/merge-patch+json" };
    expect((await ask("PATCH", "/pacticipants/t3", { mainBranch: "trunk" }, patch)).body.mainBranch).toBe("trunk");
    expect((await ask("PATCH", "/pacticipants/t3", { displayName: "T" }, patch)).body).toMatchObject({
      mainBranch: "trunk",
      displayName: "T",
    });
  });

  test("links lead to the address by which the client came, below the path that it used", async () => {
    const below = brokerClient(broker.below, `Bearer ${broker.token}`);
    const { body } = await below("GET", "/");
    expect(body._links["pb:environments"].href).toBe(`${broker.below}/environments`);
    expect(body._links["pb:pacticipant"]).toMatchObject({
      href: `${broker.below}/pacticipants/{pacticipant}`,
      templated: true,
    });
    expect((await below("GET", body._links["pb:pacticipants"].href)).status).toBe(200);
    expect((await below("GET", "")).status).toBe(200);
  });

  test("what serves is recorded once, replaced in its slot only, and never taken back to life", async () => {
    const place = await environment("t5");
    await ask("PUT", "/pacticipants/t5/versions/1", {});
    await ask("PUT", "/pacticipants/t5/versions/2", {});
    const [first, again] = await Promise.all([deploy("t5", "1", place), deploy("t5", "1", place)]);
    expect([first?.status, again?.status].toSorted()).toEqual([200, 201]);
    expect(first?.body.uuid).toBe(again?.body.uuid);
    await deploy("t5", "1", place, { applicationInstance: "other" });
    await deploy("t5", "2", place);
    const now = await ask("GET", `/environments/${place}/deployed-versions/currently-deployed?pacticipant=t5`);
    const numbers = now.body._embedded.deployedVersions.map(
      (each: { _embedded: { version: { number: string } } }) => each._embedded.version.number,
    );
    expect(numbers.toSorted()).toEqual(["1", "2"]);
    expect((await ask("PATCH", first?.body._links.self.href, { currentlyDeployed: true })).status).toBe(400);
    expect(
      (await ask("PATCH", `/deployed-versions/${first?.body.uuid}`, { currentlyDeployed: false })).body
        .currentlyDeployed,
    ).toBe(false);
  });
});

describe("who may", () => {
  test("nobody comes in without a token, and is told how: a program by Basic or Bearer", async () => {
    const nobody = await brokerClient(broker.root)("GET", "/pacticipants");
    expect(nobody).toMatchObject({ status: 401, headers: { "www-authenticate": 'Basic realm="Towline"' } });
    expect(nobody.body.errors[0]).toContain("token");
    expect((await brokerClient(broker.root, "Bearer tw_wrong")("GET", "/")).status).toBe(401);
    expect((await brokerClient(broker.root, `Bearer ${broker.token}`)("GET", "/")).status).toBe(200);
    expect((await brokerClient(broker.root, basic(broker.token))("GET", "/")).status).toBe(200);
  });

  test("a viewer reads, a developer publishes, a lead manages", async () => {
    const as = async (name: string, role: "viewer" | "developer") =>
      brokerClient(broker.root, basic(await userToken(broker, name, role)));
    const [viewer, developer] = [await as("vic", "viewer"), await as("dev", "developer")];
    const given = publication({ consumer: "w1", version: "1", provider: "api" });
    expect((await viewer("POST", "/contracts/publish", given)).status).toBe(403);
    expect((await developer("POST", "/contracts/publish", given)).status).toBe(200);
    expect((await viewer("GET", "/pacticipants/w1")).status).toBe(200);
    expect((await developer("DELETE", "/pacticipants/w1")).status).toBe(403);
    expect((await developer("POST", "/environments", { name: "w1", production: false })).status).toBe(403);
  });

  test("a token that only pulls images opens nothing", async () => {
    const token = await jobToken(broker, { w1: ["pull"] });
    expect((await brokerClient(broker.root, basic(token))("GET", "/pacticipants/w1")).status).toBe(403);
  });
});

describe("what bad input gets", () => {
  test.each<[string, string, unknown, number]>([
    ["POST", "/contracts/publish", "{", 400],
    ["POST", "/contracts/publish", "[]", 400],
    ["POST", "/contracts/publish", "null", 400],
    ["POST", "/contracts/publish", `{"a":${"[".repeat(200_000)}`, 400],
    ["POST", "/contracts/publish", { pacticipantName: 1 }, 400],
    ["POST", "/contracts/publish", { ...publication({ consumer: "b\u0000d", version: "1", provider: "x" }) }, 400],
    ["POST", "/contracts/publish", { ...publication({ consumer: "bad", version: "\ud800", provider: "x" }) }, 400],
    ["POST", "/contracts/publish", { ...publication({ consumer: "bad", version: "1", provider: "" }) }, 400],
    ["PUT", "/pacts/provider/a/consumer/b/version/1", { consumer: { name: "other" } }, 400],
    [
      "PUT",
      "/pacts/provider/a/consumer/b/version/1",
      `{"interactions":[${'{"a":'.repeat(150)}1${"}".repeat(150)}]}`,
      400,
    ],
    ["GET", "/%zz", undefined, 400],
    ["GET", "/pacticipants/a%00b", undefined, 400],
    ["GET", `/pacticipants/${"a".repeat(5000)}`, undefined, 400],
    ["GET", "/no/such/thing", undefined, 404],
    ["DELETE", "/matrix", undefined, 405],
    ["GET", "/environments/not-a-uuid", undefined, 404],
    ["PATCH", "/deployed-versions/not-a-uuid", { currentlyDeployed: false }, 404],
    ["POST", "/environments", { name: "with space", production: true }, 400],
    ["POST", "/pacticipants/none/versions/1/deployed-versions/environment/1", {}, 404],
    [
      "POST",
      "/pacts/provider/a/consumer/b/pact-version/abc/verification-results",
      { success: true, providerApplicationVersion: "1" },
      404,
    ],
    ["POST", "/pacts/provider/a/consumer/b/pact-version/abc/verification-results", { success: "yes" }, 400],
    ["GET", "/pacts/provider/a/consumer/b/pact-version/abc/verification-results/99999999999999999999", undefined, 404],
    ["POST", "/pacts/provider/a/for-verification", { includeWipPactsSince: "soon" }, 400],
    ["GET", "/matrix?q[][__proto__]=a&q[constructor]=b&%zz", undefined, 400],
  ])("%s %s: its fault, by name, nothing written", async (method, path, body, status) => {
    const before = (await ask("GET", "/pacticipants")).text;
    const answer = await ask(method, path, body);
    expect({ status: answer.status, told: answer.text.length > 20 }).toEqual({ status, told: true });
    expect((await ask("GET", "/pacticipants")).text).toBe(before);
  });

  test("a body of 20 MB is refused unread, a cut one leaves nothing, and a pact of many is taken", async () => {
    const huge = await ask("POST", "/contracts/publish", Buffer.alloc(20 * 1024 * 1024, "a"));
    expect(huge.status).toBe(413);
    expect(huge.body.errors[0]).toContain("larger than");
    const interactions = Array.from({ length: 5000 }, (_, index) => interaction(`/${index}/${"x".repeat(300)}`));
    expect((await publish({ consumer: "big", version: "1", provider: "api", interactions })).status).toBe(200);
    const text = JSON.stringify(publication({ consumer: "cut", version: "1", provider: "api" }));
    expect((await ask("POST", "/contracts/publish", text.slice(0, -40))).status).toBe(400);
    expect((await ask("GET", "/pacticipants/cut")).status).toBe(404);
  });
});
