/** The clients of Pact inside of a job: by what the job's agent gives them, to a real broker. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { brokerToken, type JobBroker, listenForClients } from "#agent/contracts/job-broker.ts";
import { brokerClient, interaction, publication, startTestBroker, type TestBroker } from "#testing/broker.ts";
import { testDatabase } from "#testing/database.ts";
import { basic, jobToken } from "#testing/registry.ts";

const patience = 300_000;
const stack = new AsyncDisposableStack();
let broker: TestBroker;
let folder: string;
/** Of a job that builds `basket`. */
let password: string;
let job: JobBroker;

const openFor = (token: string, url = new URL(broker.below).origin) =>
  listenForClients({ url, credentials: { user: "job", password: token }, host: "127.0.0.1", port: 0 });

beforeAll(async () => {
  const database = stack.use(await testDatabase());
  broker = stack.use(await startTestBroker(database.url));
  folder = await mkdtemp(join(tmpdir(), "towline-job-pacts-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  password = await jobToken(broker, {}, { pacticipant: "basket", job: { id: "1", attempt: 1 } });
  job = stack.use(await openFor(password));
});
afterAll(() => stack.disposeAsync());

const told = ({ variables }: JobBroker) => ({
  at: variables["PACT_BROKER_BASE_URL"] ?? "",
  token: variables["PACT_BROKER_TOKEN"] ?? "",
});

/** `pact-broker`, with nothing but the variables that the job has. */
function pactBroker(...args: string[]): Promise<{ code: number; output: string }> {
  const require = createRequire(import.meta.url);
  const { standalone } = require("@pact-foundation/pact-cli/src/pact-standalone.js") as {
    standalone(): { pactFullPath: string };
  };
  const env = { PATH: process.env["PATH"], HOME: folder, PACT_DO_NOT_TRACK: "true", ...job.variables };
  return new Promise((resolve) => {
    execFile(standalone().pactFullPath, ["broker", ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

async function pactOf(consumer: string): Promise<string> {
  const [contract] = publication({ consumer, version: "1", provider: "stock" }).contracts;
  await mkdir(join(folder, consumer), { recursive: true });
  await writeFile(join(folder, consumer, "pact.json"), Buffer.from(contract?.content ?? "", "base64"));
  return consumer;
}

test(
  "the real client publishes and asks for the service of the job, and is refused for another with the reason",
  async () => {
    const version = ["--consumer-app-version", "1", "--branch", "main"];
    expect(await pactBroker("publish", await pactOf("basket"), ...version)).toMatchObject({ code: 0 });
    expect((await broker.client("GET", "/pacts/provider/stock/consumer/basket/version/1")).status).toBe(200);

    const foreign = await pactBroker("publish", await pactOf("orders"), ...version);
    expect(foreign).toEqual({
      code: 1,
      output: expect.stringContaining(
        "the job job may not publish for orders: it does for basket alone, which it builds",
      ) as string,
    });
    expect((await broker.client("GET", "/pacticipants/orders")).status).toBe(404);

    const { code, output } = await pactBroker("can-i-deploy", "--pacticipant", "basket", "--version", "1");
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining("no verified pact") as string });
    const environment = await pactBroker("create-environment", "--name", "production");
    expect(environment).toEqual({
      code: expect.any(Number) as number,
      output: expect.stringContaining("jobs read, and publish for the service that they build") as string,
    });
    expect(environment.code).not.toBe(0);
  },
  patience,
);

test("a verifier is led from link to link where the job reaches them, and its result counts for that service alone", async () => {
  for (const provider of ["basket", "stock"]) {
    const given = { consumer: "shop", version: "1", provider, branch: "main", interactions: [interaction("/b")] };
    expect((await broker.client("POST", "/contracts/publish", publication(given))).status).toBe(200);
  }
  const { at, token } = told(job);
  const client = brokerClient(at, `Bearer ${token}`);
  const verify = async (provider: string) => {
    const listed = await client("POST", `/pacts/provider/${provider}/for-verification`, {
      providerVersionBranch: "main",
    });
    const { href } = listed.body._embedded.pacts[0]._links.self;
    const pact = await client("GET", href);
    const results: string = pact.body._links["pb:publish-verification-results"].href;
    expect([href, results].every((each: string) => each.startsWith(`${at}/`))).toBe(true);
    return client("POST", results, { success: true, providerApplicationVersion: "7" });
  };
  expect((await verify("basket")).status).toBe(201);
  const refused = await verify("stock");
  expect([refused.status, refused.body.errors]).toEqual([
    403,
    ["the job job may not publish for stock: it does for basket alone, which it builds"],
  ]);
});

/** As it is written, where clients of ours would tidy the path. */
function raw(path: string, authorization = `Bearer ${told(job).token}`): Promise<number | undefined> {
  const { hostname, port } = new URL(told(job).at);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers: { authorization } }, (answer) =>
      resolve(answer.resume().statusCode),
    );
    asked.on("error", reject).end();
  });
}

test("by its token alone, as bearer or password, and to the broker alone", async () => {
  const { token } = told(job);
  expect(await raw("/pact")).toBe(200);
  expect(await raw("/pact/pacticipants", basic(token))).toBe(200);
  const other = await openFor(await jobToken(broker, {}, { pacticipant: "basket", job: { id: "2", attempt: 1 } }));
  await using _ = other;
  for (const wrong of ["", "Bearer", "Bearer tw_wrong", `Bearer ${password}`, `Bearer ${told(other).token}`])
    expect([wrong, await raw("/pact/pacticipants", wrong)]).toEqual([wrong, 401]);
  for (const elsewhere of [
    "/",
    "/api/builds",
    "/pactical",
    "/pact/../api/builds",
    "/pact/%2e%2e/api",
    "//a.example/pact",
  ])
    expect([elsewhere, await raw(elsewhere)]).toEqual([elsewhere, 404]);
  expect(await raw("http://a.example/pact/")).toBe(404);
  // The other way round it opens nothing: only the agent that made it takes it.
  expect((await brokerClient(broker.below, `Bearer ${token}`)("GET", "/pacticipants")).status).toBe(401);
});

test("a server that is away is told as that; with the job the way is closed", async () => {
  const gone = await openFor(password, "http://127.0.0.1:1");
  const { at } = told(gone);
  const client = brokerClient(at, `Bearer ${brokerToken({ user: "job", password })}`);
  const { status, body } = await client("GET", "/pacticipants");
  expect([status, body.errors[0]]).toEqual([503, expect.stringContaining("try again")]);
  await gone[Symbol.asyncDispose]();
  await expect(client("GET", "/pacticipants")).rejects.toThrow();
});
