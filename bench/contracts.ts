/**
 * The broker of contracts with 200 services, 50 versions of each and 5 environments, filled over HTTP as pipelines would: how
 * long a publication takes early and at the end, and how long the question before a deployment, each alone.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "#kernel/database.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { migrate } from "#kernel/migrations.ts";
import { type BrokerClient, interaction, publication, startTestBroker } from "#testing/broker.ts";
import { type BenchResult, quantile, round, say } from "./figures.ts";

const services = 200;
const versions = 50;
/** Of each service: those that follow it. */
const providers = 5;
/** So many versions say the same, then the contracts change. */
const changeEvery = 5;
const places = ["dev", "test", "staging", "preprod", "production"];
const questions = 500;
/** Requests under way at a time while it is filled; what is measured goes alone. */
const atOnce = 4;
const aims = { publishMs: 30, askMs: 20, growth: 1.5 };

export async function main(): Promise<BenchResult> {
  const home = await mkdtemp(join(tmpdir(), "towline-bench-contracts-"));
  await chmod(home, 0o711);
  const log = createLog("silent");
  const postgres = await startEmbeddedPostgres(home, log);
  try {
    {
      await using opened = openDatabase(postgres.url, log);
      await migrate(opened.pool);
    }
    await using broker = await startTestBroker(postgres.url);
    return await measure(broker.client);
  } finally {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}

const nameOf = (service: number) => `service-${service % services}`;

async function measure(client: BrokerClient): Promise<BenchResult> {
  const environments = new Map<string, string>();
  for (const name of places) {
    const { body } = await client("POST", "/environments", { name, production: name === "production" });
    environments.set(name, (body as { uuid: string }).uuid);
  }
  const rounds: number[][] = [];
  const asked: number[][] = [];
  for (let version = 1; version <= versions; version++) {
    const isMeasured = version === versions / 5 || version === versions;
    const times = await publishAll(client, version, isMeasured ? 1 : atOnce);
    if (isMeasured) rounds.push(times);
    if (version % changeEvery === 1) await verifyAll(client, version);
    await deployAll(client, version, environments);
    if (isMeasured) asked.push(await askAll(client, version));
    if (isMeasured) say(`  ${version} versions of each: publication p50 ${round(quantile(times, 0.5), 1)} ms`);
  }
  const [early = [], late = []] = rounds;
  const [young = [], old = []] = asked;
  const figures = {
    publish_p50_ms: round(quantile(late, 0.5), 1),
    publish_p95_ms: round(quantile(late, 0.95), 1),
    publish_growth_ratio: round(quantile(late, 0.5) / quantile(early, 0.5)),
    can_i_deploy_p50_ms: round(quantile(old, 0.5), 1),
    can_i_deploy_p95_ms: round(quantile(old, 0.95), 1),
    can_i_deploy_best_ms: round(Math.min(...old), 1),
    can_i_deploy_growth_ratio: round(quantile(old, 0.5) / quantile(young, 0.5)),
    ...{ aim_publish_ms: aims.publishMs, aim_can_i_deploy_ms: aims.askMs },
  };
  const ok =
    figures.publish_p50_ms < aims.publishMs &&
    figures.can_i_deploy_p95_ms < aims.askMs &&
    figures.can_i_deploy_growth_ratio < aims.growth;
  return { bench: "contracts", ok, figures };
}

/** Does it for each service; answers the milliseconds of each. */
async function forAll(
  work: (service: number) => Promise<void>,
  { count = services, lines = atOnce } = {},
): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const line = async () => {
    for (let service = next++; service < count; service = next++) {
      const began = performance.now();
      await work(service);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: lines }, line));
  return times;
}

async function must(answer: ReturnType<BrokerClient>): Promise<void> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`the broker answered ${status}: ${text.slice(0, 500)}`);
}

function publishAll(client: BrokerClient, version: number, lines: number): Promise<number[]> {
  const interactions = Array.from({ length: 5 }, (_, index) =>
    interaction(`/${Math.ceil(version / changeEvery)}/${index}`),
  );
  return forAll(
    (service) => {
      const contracts = Array.from({ length: providers }, (_, index) => {
        const provider = nameOf(service + index + 1);
        return publication({ consumer: nameOf(service), version: `${version}`, provider, interactions }).contracts;
      });
      const given = publication({ consumer: nameOf(service), version: `${version}`, provider: "", branch: "main" });
      return must(client("POST", "/contracts/publish", { ...given, contracts: contracts.flat() }));
    },
    { lines },
  );
}

/** Each provider verifies what the version's consumers ask. */
async function verifyAll(client: BrokerClient, version: number): Promise<void> {
  await forAll(async (service) => {
    for (let index = 1; index <= providers; index++) {
      const path = `/pacts/provider/${nameOf(service + index)}/consumer/${nameOf(service)}/version/${version}`;
      const { body } = await client("GET", path);
      const { href } = (body as { _links: Record<string, { href: string }> })._links[
        "pb:publish-verification-results"
      ] ?? { href: "" };
      await must(client("POST", href, { success: true, providerApplicationVersion: `${version}` }));
    }
  });
}

async function deployAll(client: BrokerClient, version: number, environments: Map<string, string>): Promise<void> {
  // As releases travel: each environment lags behind the one before.
  for (const [index, name] of places.entries())
    if (version % changeEvery === 1 && version > index * changeEvery)
      await forAll((service) => {
        const path = `/pacticipants/${nameOf(service)}/versions/${version - index * changeEvery}/deployed-versions`;
        return must(client("POST", `${path}/environment/${environments.get(name)}`, {}));
      });
}

function askAll(client: BrokerClient, version: number): Promise<number[]> {
  return forAll(
    (question) => {
      const place = places[question % places.length] ?? "";
      const query = `q[][pacticipant]=${nameOf(question * 7)}&q[][version]=${version}&latestby=cvpv&environment=${place}`;
      return must(client("GET", `/matrix?${query}`));
    },
    { count: questions, lines: 1 },
  );
}
