import { afterAll, beforeAll, expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { setEnvironments } from "../../support/fleet.ts";
import { instancesOf } from "../../support/instances.ts";
import { probeService, type Service } from "../../support/service.ts";

const manifest = "run: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s }\n";
/** Answers with its own version and what the service that it needs says. */
const asking = `
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
const version = readFileSync("/version.txt", "utf8").trim();
createServer(async (request, response) => {
  const other = request.url === "/health" ? "" : await (await fetch(process.env.CATALOG_URL)).text();
  response.end(version + " with " + other + (process.env.KEY ?? ""));
}).listen(Number(process.env.PORT));
process.on("SIGTERM", () => process.exit(0));
`;

let platform: Platform;
let terminal: CommandLine;
let catalog: Service;
let orders: Service;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  const borrowing = "target: docker\nborrow: test\nwatch: 0s\nvariables: { KEY: of-previews }\n";
  await setEnvironments(platform, { test: "target: docker\nwatch: 0s\n", preview: borrowing });
  catalog = await probeService(platform, "catalog", { manifest });
  await catalog.ship("goods");
  orders = await probeService(platform, "orders", { like: "talker", manifest: `${manifest}needs: [catalog]\n` });
  await orders.checkout.write("server.js", asking);
  const ofPullRequests = "steps:\n  - publish: .\n    if: build.pull_request.id != null\n";
  await orders.checkout.write(".towline/pipeline.yml", ofPullRequests);
  await orders.checkout.push("Orders, which nobody deployed yet");
});

afterAll(async () => {
  for (const each of [orders, catalog, terminal, platform]) await each?.[Symbol.asyncDispose]();
});

test("a pull request answers at a host name of its own with the services of test, and nothing of it is left once it is closed", async () => {
  await orders.checkout.write("version.txt", "mine\n");
  await orders.checkout.push("Mine", "topic");
  const params = { repository: "orders" };
  const { number } = orThrow(
    await platform.client.openPullRequest({ params, body: { branch: "topic", title: "Mine" } }),
  );
  const answers = () => orders.ask("/", "preview-1");
  let previews: unknown;
  await until(
    async () => {
      previews = orThrow(await platform.client.listPreviews({}));
      return (await answers()) === "200 mine with goodsof-previews";
    },
    { deadlineMs: 300_000, describe: () => JSON.stringify(previews) },
  );
  const shown = (await terminal.run("pr", "show", "orders", String(number))).stdout;
  expect(shown).toContain(`http://orders.preview-1.localhost:${platform.httpPort}`);
  expect((await terminal.run("status")).stdout).toContain("preview-1  orders #1");
  const [service] = orThrow(await platform.client.listPreviews({ query: params })).previews[0]?.services ?? [];
  const body = { service: "orders", environment: "test", release: service?.release ?? 0 };
  expect(await platform.client.createDeployment({ body })).toMatchObject({ refused: "release.preview-only" });

  orThrow(await platform.client.closePullRequest({ params: { ...params, number } }));
  const standing = async () => orThrow(await platform.client.getStatus({})).previews;
  await until(async () => (await standing()).length === 0, { deadlineMs: 180_000 });
  expect(await answers()).toMatch(/^(404|503)/);
  const left = (await instancesOf(platform)).filter((each) => JSON.stringify(each).includes("preview-1"));
  expect(left).toEqual([]);
});
