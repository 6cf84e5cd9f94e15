import { isRefusal } from "#api/errors.ts";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { type DeploymentsPlace, openDeploymentsPlace, quickTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { type Mortal, mortal } from "#testing/mortal.ts";
import { until } from "#testing/until.ts";

/** Nothing looks by itself, so that the calls are those of the deployment alone; what is left is taken up at the start. */
const still = { ...quickTiming, superviseMs: 3_600_000 };
const wish = (release: number) => ({ body: { service: "orders", environment: "test", release } });

interface Life extends AsyncDisposable {
  process: Mortal;
  server: Awaited<ReturnType<DeploymentsPlace["server"]>>;
}

async function born(place: DeploymentsPlace): Promise<Life> {
  const process = mortal(place.database.pool);
  const server = await place.server({ db: process.db, wrap: process.wrap, timing: still, reconcileMs: 3_600_000 });
  await until(() => hasLookedRound(place), { describe: () => "the first look round" });
  return { process, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Both jobs that look round wait for their next time. */
async function hasLookedRound({ database }: DeploymentsPlace): Promise<boolean> {
  const { rows } =
    await sql`select 1 from jobs where run_at > now() + interval '1 minute' and task in ('deployments.supervise', 'routing.reconcile')`.execute(
      database.db,
    );
  return rows.length === 2;
}

type Check = (deployment: string, at: number) => Promise<void>;

/** Deploys with a death at every call in turn, until a deployment needs fewer calls than that; answers how many that were. */
async function killAtEveryCall(place: DeploymentsPlace, release: number, check: Check): Promise<number> {
  let life = await born(place);
  try {
    for (let n = 1; ; n++) {
      life.process.dieAt(n);
      const made = await life.server.call("createDeployment", wish(release)).catch(() => undefined);
      const id = made && !isRefusal(made) ? made.id : undefined;
      await until(async () => life.process.dead || (await hasEnded(place, id)), { describe: () => `call ${n}` });
      // What comes after the end is another deployment's business.
      life.process.dieAt(Infinity);
      const survived = !life.process.dead;
      if (!survived) {
        await life[Symbol.asyncDispose]();
        life = await born(place);
      }
      // A request that died before it was written down was never made.
      if (id) {
        await life.server.ended(id);
        await check(id, n);
      }
      if (survived) return n - 1;
    }
  } finally {
    await life[Symbol.asyncDispose]();
  }
}

async function hasEnded(place: DeploymentsPlace, id: string | undefined): Promise<boolean> {
  return id === undefined || (await endsOf(place, id)).length > 0;
}

async function endsOf(place: DeploymentsPlace, id: string) {
  return (await place.events("deployments.deployment-finished")).filter(({ deployment }) => deployment === id);
}

const manifest = `service: orders
http: { port: 8080 }
run: { instances: 2 }
release: { drain: 200ms, migrate: [node, migrate.js] }
`;

interface Scene extends AsyncDisposable {
  place: DeploymentsPlace;
  /** Instances of release 1, which serves. */
  old: string[];
  /** Called after each change of the balancer. */
  onChange: { value: (() => Promise<void>) | undefined };
}

/** Release 1 serves, release 2 is there. From then on every change of the balancer is looked at: somebody must get the traffic. */
async function openScene(): Promise<Scene> {
  const place = await openDeploymentsPlace();
  for (const n of [1, 2]) place.world.manifests.set(commitNumber(n), manifest);
  await using server = await place.server();
  await server.publish("orders", commitNumber(1));
  await server.publish("orders", commitNumber(2));
  await server.deploy("orders", 1);
  const { instances: old } = await place.serving("orders");
  const { balancer } = place;
  const onChange: Scene["onChange"] = { value: undefined };
  const guarded = <T extends unknown[]>(change: (...all: T) => Promise<void>) =>
    async function guard(...all: T) {
      await change(...all);
      if (balancer.request("orders.test.localhost") === 503) throw new Error("nobody serves");
      await onChange.value?.();
    };
  balancer.apply = guarded(balancer.apply);
  balancer.setSlots = guarded(balancer.setSlots);
  return { place, old, onChange, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

const namesOf = (deployment: string) => [1, 2].map((index) => `orders-test-r2-${deployment.slice(0, 8)}-${index}`);

async function expectState(place: DeploymentsPlace, instances: string[], at: number): Promise<void> {
  const serving = await place.serving("orders");
  const found = { at, instances: serving.instances.toSorted(), all: serving.all.toSorted() };
  expect(found).toEqual({ at, instances, all: instances });
}

test("killed at any call, a deployment comes to its good end once, starts nothing twice and leaves nothing behind", async () => {
  await using scene = await openScene();
  const { place } = scene;
  const deaths = await killAtEveryCall(place, 2, async (deployment, at) => {
    expect(await endsOf(place, deployment)).toMatchObject([{ outcome: "succeeded" }]);
    await expectState(place, namesOf(deployment), at);
    const made = place.made.filter((name) => name.includes(deployment.slice(0, 8)));
    expect(made.toSorted()).toEqual([...namesOf(deployment), `orders-test-r2-${deployment.slice(0, 8)}-migrate`]);
  });
  expect(deaths).toBeGreaterThan(50);
}, 600_000);

test("killed at any call, a release that crashes under traffic is taken back, and the one before serves on", async () => {
  await using scene = await openScene();
  const { place, old } = scene;
  place.world.environments["test"] = "target: docker\nwatch: 10s\n";
  scene.onChange.value = async () => {
    if (!(await place.serving("orders")).releases.includes(2)) return;
    for (const { id } of await place.runtime.list({ release: "2" })) place.runtime.crash(id, 1);
  };
  const deaths = await killAtEveryCall(place, 2, async (deployment, at) => {
    const ends = await endsOf(place, deployment);
    expect(ends).toMatchObject([
      { outcome: "rolled-back", reason: expect.stringContaining("exited with exit code 1") },
    ]);
    await expectState(place, old.toSorted(), at);
  });
  expect(deaths).toBeGreaterThan(50);
}, 600_000);

test("canceled at any call, a deployment takes back what it did, and what served before serves on", async () => {
  await using scene = await openScene();
  const { place, old } = scene;
  await using life = await born(place);
  const phases = new Set<string | null>();
  for (let n = 1; ; n++) {
    let canceled: unknown;
    const made = await life.server.call("createDeployment", wish(2));
    if (isRefusal(made)) throw new Error(made.message);
    life.process.beforeDriverCall(n, async () => {
      canceled = await life.server.call("cancelDeployment", { params: { id: made.id } });
    });
    const { outcome, reason, steps } = await life.server.ended(made.id);
    if (canceled === undefined) {
      expect(outcome).toBe("succeeded");
      break;
    }
    for (const { phase } of steps) phases.add(phase);
    expect({ n, outcome, reason }).toEqual({ n, outcome: "canceled", reason: "canceled by ada" });
    const present = await place.serving("orders");
    expect(present.releases).toEqual([1]);
    expect(present.instances.toSorted()).toEqual(old.toSorted());
    expect(present.all.toSorted()).toEqual(old.toSorted());
  }
  expect([...phases]).toEqual(
    expect.arrayContaining([
      "pull",
      "migrate",
      "start",
      "probe",
      "swap",
      "drain",
      "stop",
      "restore",
      "return",
      "remove",
    ]),
  );
}, 600_000);
