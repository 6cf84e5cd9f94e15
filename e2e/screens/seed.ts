/** A fleet as a team of some people has it, the same at every run: what the pictures show. */
import type { Role } from "#api/endpoint.ts";
import { orThrow } from "#api/errors.ts";
import { type Client, createClient } from "#client/client.ts";
import { brokerClient, publication } from "#testing/broker.ts";
import type { Platform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "../support/checkout.ts";
import { deploymentOnce, inPhase, startDeployment } from "../support/deployments.ts";
import { buildOf, finished, newService, setEnvironments } from "../support/fleet.ts";
import { newPerson } from "../support/people.ts";
import { discounts, prices, shopSteps } from "./texts.ts";

const environments = {
  test: "target: docker\nwatch: 1s\n",
  production: `target: docker
after: test
watch: 2s
sign-offs: [{ name: acceptance, roles: [analyst], count: 1 }]
variables: { LOG_LEVEL: info, REGION: eu-central }
`,
};

interface Kind {
  owner: string;
  needs?: string;
  first: string;
  instances?: number;
}

const services = {
  catalog: { owner: "shop", first: "Products with their prices", instances: 2 },
  payments: { owner: "checkout", first: "Captures by card" },
  orders: { owner: "checkout", needs: "[catalog, payments]", first: "Orders from the cart", instances: 2 },
  billing: { owner: "finance", needs: "[orders]", first: "Invoices by mail" },
  storefront: { owner: "shop", needs: "[catalog, orders]", first: "The shop's first page" },
} satisfies Record<string, Kind>;
type Name = keyof typeof services;

interface People {
  rita: Client;
  ana: Client;
  dora: Client;
}

/** Makes all of it; some minutes. */
export async function seed(platform: Platform, say: (line: string) => void): Promise<void> {
  const people = await hire(platform);
  await setEnvironments(platform, environments);
  say("five services, from push to production");
  const checkouts = await firstReleases(platform, people);
  say("what happens on a day: releases that wait, one that fails, a lock, a pull request");
  await laterReleases(platform, people, checkouts);
  await openDiscounts(people, checkouts.catalog);
  orThrow(
    await people.rita.lockPlace({
      body: {
        service: "billing",
        environment: "production",
        reason: "the books of November are closed",
        seconds: 86_400,
      },
    }),
  );
  await shopBuild(platform, checkouts.storefront);
  const broker = brokerClient(`${platform.url}/pact`, `Bearer ${platform.adminToken}`);
  await broker("POST", "/contracts/publish", publication({ consumer: "till", version: "1", provider: "stock" }));
  await beginRollout(platform, people);
  for (const checkout of Object.values(checkouts)) await checkout[Symbol.asyncDispose]();
}

async function hire(platform: Platform): Promise<People> {
  const roles: [keyof People, Role][] = [
    ["rita", "lead"],
    ["ana", "analyst"],
    ["dora", "developer"],
  ];
  const hired = await Promise.all(roles.map(([name, role]) => newPerson(platform, name, role)));
  const [rita, ana, dora] = hired.map(({ token }) => createClient({ url: platform.url, token }));
  if (!rita || !ana || !dora) throw new Error("somebody is missing");
  return { rita, ana, dora };
}

type Checkouts = Record<Name, Checkout>;

async function firstReleases(platform: Platform, { ana, rita }: People): Promise<Checkouts> {
  const made: [Name, Checkout, string][] = [];
  for (const [name, kind] of Object.entries(services) as [Name, Kind][]) {
    const checkout = await newService(platform, "probe", name);
    await checkout.write("towline.yml", manifestOf(name, kind));
    await checkout.write(".towline/pipeline.yml", "steps:\n  - publish: .\n  - deploy: test\n");
    await checkout.write("prices.js", prices);
    made.push([name, checkout, await pushVersion(checkout, "1", kind.first)]);
  }
  for (const [, , commit] of made) await passedBuild(platform.client, commit);
  const releases = made.map(([service]) => ({ service, release: 1 }));
  orThrow(await ana.approveReleases({ body: { environment: "production", releases, note: "seen in test" } }));
  for (const { service } of releases) {
    const { id } = orThrow(await rita.createDeployment({ body: { service, environment: "production", release: 1 } }));
    await deploymentOnce(platform.client, id);
  }
  return Object.fromEntries(made.map(([name, checkout]) => [name, checkout])) as Checkouts;
}

/**
 * Of the release in a manifest: a quarter of the traffic, and the rest once somebody says so. On a machine that has much to do
 * some answers are late by chance, for which it is not to be taken back before its pictures are taken.
 */
const carefully = ", strategy: canary, steps: [25%, hold], analysis: { slower: 100 }";

function manifestOf(name: string, { owner, needs, instances = 1 }: Kind, release = ""): string {
  return `service: ${name}
owner: ${owner}
http: { port: 8080, health: /health }
${needs ? `needs: ${needs}\n` : ""}run: { cpu: 0.25, memory: 64Mi, instances: ${instances} }
release: { drain: 1s${release} }
`;
}

/** The first word of a version tells the probe how to behave. */
async function pushVersion(checkout: Checkout, version: string, message: string): Promise<string> {
  await checkout.write("version.txt", `${version}\n`);
  return checkout.push(message);
}

const patienceMs = 600_000;

async function passedBuild(client: Client, commit: string): Promise<void> {
  const { outcome, steps } = await buildOf(client, commit, finished, patienceMs);
  if (outcome !== "passed") throw new Error(`a build ended as ${outcome}: ${JSON.stringify(steps, undefined, 1)}`);
}

async function laterReleases({ client }: Platform, { rita }: People, checkouts: Checkouts) {
  const pushed = [
    await pushVersion(checkouts.catalog, "2", "Prices with tax"),
    await pushVersion(checkouts.orders, "2", "SHOP-17: cancel an order within the hour"),
  ];
  const sick = await pushVersion(checkouts.payments, "sick 2", "Captures are tried again");
  for (const commit of pushed) await passedBuild(client, commit);
  await buildOf(client, sick, finished, patienceMs);
  await checkouts.catalog.write("towline.yml", manifestOf("catalog", services.catalog, carefully));
  const third = await pushVersion(checkouts.catalog, "3", "SHOP-21: products that are sold out stand last");
  const held = await deploymentOf(client, third);
  await inPhase(client, held, ["hold"]);
  orThrow(await rita.promoteDeployment({ params: { id: held } }));
  await passedBuild(client, third);
  // Waits for the analyst.
  orThrow(await rita.createDeployment({ body: { service: "orders", environment: "production", release: 2 } }));
}

/** Stands at its first share. */
async function beginRollout({ client }: Platform, { ana, rita }: People): Promise<void> {
  const third = { service: "catalog", release: 3 };
  const environment = "production";
  orThrow(await ana.approveReleases({ body: { environment, releases: [third], note: "seen in test" } }));
  await inPhase(client, await startDeployment(rita, { environment, ...third }), ["hold"]);
}

/** The id of the deployment to `test` that a push leads to. */
async function deploymentOf(client: Client, commit: string): Promise<string> {
  let found: string | undefined;
  await until(
    async () => {
      const { deployments } = orThrow(await client.listDeployments({ query: { environment: "test" } }));
      found = deployments.find((each) => each.commit === commit)?.id;
      return found !== undefined;
    },
    { deadlineMs: patienceMs, describe: () => `${commit} is not deployed` },
  );
  return found ?? "";
}

async function openDiscounts({ dora, rita }: People, checkout: Checkout): Promise<void> {
  await checkout.write("prices.js", discounts);
  const head = await checkout.push("SHOP-30: discounts for regular customers", "discounts");
  const params = { repository: "catalog" };
  const opened = await dora.openPullRequest({
    params,
    body: {
      branch: "discounts",
      title: "SHOP-30: discounts for regular customers",
      body: "Ten percent from the third order on. The rate is a variable, so that the shop can change it.",
    },
  });
  const { number } = orThrow(opened);
  const place = { path: "prices.js", side: "new" as const, line: 12, revision: head };
  const body = "What about customers who sent everything back? I would count what they kept.";
  orThrow(await rita.addComment({ params: { ...params, number }, body: { body, place } }));
}

/** A build of many steps that has come to its gate. */
async function shopBuild({ client }: Platform, checkout: Checkout): Promise<void> {
  await checkout.write(".towline/pipeline.yml", JSON.stringify({ steps: shopSteps }));
  const commit = await pushVersion(checkout, "2", "SHOP-25: search as you type");
  const standing = new Set(["blocked", "running"]);
  await until(
    async () => {
      const { builds } = orThrow(await client.listBuilds({ query: { commit, limit: 1 } }));
      const build = builds[0] && orThrow(await client.showBuild({ params: { id: builds[0].id } }));
      const rest = build?.steps.filter(({ state, key }) => state !== "finished" && key !== "ios") ?? [];
      return (
        build !== undefined &&
        standing.has(build.state) &&
        rest.every(({ state }) => ["waiting", "blocked"].includes(state))
      );
    },
    { deadlineMs: patienceMs, describe: () => "the build of the shop does not come to its gate" },
  );
}
