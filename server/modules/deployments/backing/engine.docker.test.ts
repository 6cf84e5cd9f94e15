/** A backing service on the real engine behind the real balancer: replaced, backed up, restored and removed. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { createDeployments, type DeploymentsDeps } from "#deployments";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { openFsBlobs } from "#drivers/blobs/fs.ts";
import { systemClock } from "#kernel/clock.ts";
import type { Context } from "#kernel/http.ts";
import { jobs, startJobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { parseEnvironment } from "#pipeline/environment-file.ts";
import { createAccess } from "#access";
import { createRouting } from "#routing";
import { renderBacking } from "#stack/render-stack.ts";
import { haproxyImage } from "#testing/balancer-bed.ts";
import { testDatabase } from "#testing/database.ts";
import { freePort } from "#testing/free-port.ts";
import { createRuntimeBed } from "#testing/runtime-bed.ts";
import { until } from "#testing/until.ts";
import { ensureBaseImages } from "../../../../tools/base-images/ensure.ts";
import { deploymentStore } from "../store.ts";
import type { WorkRow } from "./backing-store.ts";

const asked = (more = "") =>
  `target: docker\nbacking: { db: { image: "towline/base-postgres:stable", volume: 1Gi${more} } }\n`;
const db = { environment: "test", name: "db" };
const context = { principal: { kind: "user", name: "ada", role: "lead", token: "" } } as unknown as Context;

async function openScene() {
  const ready = await ensureBaseImages(["postgres", "haproxy"], { log: () => {} });
  if (isRefusal(ready)) throw new Error(ready.message);
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await testDatabase());
  const bed = stack.use(await createRuntimeBed());
  const folder = await mkdtemp(join(tmpdir(), "towline-backing-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const publish = { host: "127.0.0.1", port: await freePort() };
  const directory = join(folder, "balancer");
  const balancer = createHaproxyBalancer({ install: bed.install, image: haproxyImage, directory, publish });
  stack.defer(() => balancer.remove());
  const world = { environments: { test: asked() } as Record<string, string> };
  const { log } = database;
  const wake = stack.use(await openWake(database.url, log));
  const { emit } = createOutbox({ db: database.db, wake, log });
  const common = { db: database.db, clock: systemClock, log, jobs, emit, runtime: bed.runtime };
  const fleet = {
    environment: async (name: string) => parseEnvironment(name, world.environments[name] ?? "").value,
    backingPassword: async () => "correct horse",
    previews: async () => undefined,
  } as unknown as DeploymentsDeps["fleet"];
  const access = createAccess(common);
  const routing = createRouting({ access, fleet, ...common, balancer, httpPort: publish.port, reconcileMs: 2_000 });
  const deployments = createDeployments({
    ...{ ...common, routing, fleet, backups: await openFsBlobs(join(folder, "backups")), diskFloor: 0 },
    ...({ source: {}, builds: {}, releases: {}, contracts: {}, attestations: {} } as Pick<
      DeploymentsDeps,
      "source" | "builds" | "releases" | "contracts" | "attestations"
    >),
    whyUnfit: async () => undefined,
    registry: { address: () => "" },
    timing: { superviseMs: 300 },
  });
  const spec = renderBacking((await fleet.environment("test"))!)[0]!;
  await database.db.transaction().execute((tx) => deploymentStore(tx).wantBacking(spec));
  stack.use(startJobs({ db: database.db, wake, log, tasks: { ...routing.tasks, ...deployments.tasks } }));
  await deployments.start();
  const kept = stack.move();
  return { bed, world, handlers: deployments.handlers, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const run = promisify(execFile);
const taken = <T>(answer: T | Refusal): T => {
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
};

test("is backed up, changed, restored and removed, and has the right rows each time", async () => {
  await using scene = await openScene();
  const { bed, world, handlers } = scene;
  const ask = async (sql: string): Promise<string> => {
    const [instance] = await bed.runtime.list({ backing: "db" });
    const login = ["exec", "-e", "PGPASSWORD=correct horse", instance?.id ?? "", "psql", "-h", "127.0.0.1"];
    return (await run("docker", [...login, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", sql])).stdout.trim();
  };
  const answers = (sql: string, answer: string) =>
    until(async () => (await ask(sql).catch(() => "")) === answer, { deadlineMs: 60_000 });
  const ended = async ({ id }: Pick<WorkRow, "id">) => {
    const show = async () => taken(await handlers.showBackingWork({ params: { id } } as never, context));
    await until(async () => (await show()).state !== "running", { deadlineMs: 90_000, describe: () => id });
    return show();
  };
  await answers("select 1", "1");
  await ask("create table orders as select generate_series(1, 1000) as id");
  const backup = await ended(taken(await handlers.backUpBacking({ params: db } as never, context)));
  expect(backup).toMatchObject({ state: "succeeded", format: "postgres" });

  await ask("delete from orders");
  world.environments["test"] = asked(", environment: { TZ: UTC }");
  await until(async () => (await bed.runtime.list({ backing: "db" }))[0]?.name === "backing-test-db-g2");
  await answers("select count(*) from orders", "0");

  const body = { from: backup.id, backUpFirst: true };
  const restored = await ended(taken(await handlers.restoreBacking({ params: db, body } as never, context)));
  expect(restored).toMatchObject({ state: "succeeded" });
  await answers("select count(*) from orders", "1000");
  const volumes = async () =>
    (await run("docker", ["volume", "ls", "-q", "--filter", `label=towline.install=${bed.install}`])).stdout.trim();
  expect(await volumes()).toBe(`towline-${bed.install}.test.3-db`);

  world.environments["test"] = "target: docker\n";
  const removed = await handlers.removeBacking({ params: db, query: { destroyData: "true" } } as never, context);
  expect(removed).toEqual({ removed: true });
  expect(await volumes()).toBe("");
});
