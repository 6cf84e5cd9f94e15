import { isRefusal } from "#api/errors.ts";
import { expect, test } from "vitest";
import { type DeploymentsPlace, openDeploymentsPlace, quickTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { type Mortal, mortal } from "#testing/mortal.ts";
import { until } from "#testing/until.ts";

/** Nothing looks by itself, so that the calls are those of the deployment alone; what is left is taken up at the start. */
const still = { ...quickTiming, superviseMs: 3_600_000 };

interface Life extends AsyncDisposable {
  process: Mortal;
  server: Awaited<ReturnType<DeploymentsPlace["server"]>>;
}

async function born(place: DeploymentsPlace): Promise<Life> {
  const process = mortal(place.database.pool);
  const server = await place.server({ db: process.db, wrap: process.wrap, timing: still, reconcileMs: 3_600_000 });
  return { process, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Deploys with a death at every call in turn, until a deployment needs fewer calls than that; answers how many that were. */
async function killAtEveryCall(
  place: DeploymentsPlace,
  release: number,
  check: (deployment: string, at: number) => Promise<void>,
): Promise<number> {
  let life = await born(place);
  try {
    for (let n = 1; ; n++) {
      life.process.dieAt(n);
      const made = await life.server
        .call("createDeployment", { body: { service: "orders", environment: "test", release } })
        .catch(() => undefined);
      const id = made && !isRefusal(made) ? made.id : undefined;
      await until(async () => life.process.dead || (await hasEnded(place, id)), { describe: () => `call ${n}` });
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
  if (!id) return true;
  return (await place.events("deployments.deployment-finished")).some(({ deployment }) => deployment === id);
}

/** What must be true of every deployment once it is over: it ended once, and only the right instances are there. */
async function expectEnd(place: DeploymentsPlace, deployment: string, outcome: string) {
  const ends = (await place.events("deployments.deployment-finished")).filter((each) => each.deployment === deployment);
  expect(ends).toMatchObject([{ outcome }]);
}

test("killed at any call, a deployment comes to its good end, once, and leaves nothing behind", async () => {
  await using place = await openDeploymentsPlace();
  place.world.manifests.set(commitNumber(1), manifest);
  await using first = await place.server();
  const { number } = await first.publish("orders", commitNumber(1));
  await first.deploy("orders", number);
  await first[Symbol.asyncDispose]();
  const deaths = await killAtEveryCall(place, number, async (deployment, at) => {
    await expectEnd(place, deployment, "succeeded");
    const { instances, all } = await place.serving("orders");
    const names = [1, 2].map((index) => `orders-test-r1-${deployment.slice(0, 8)}-${index}`);
    expect({ at, instances: instances.toSorted(), all: all.toSorted() }).toEqual({ at, instances: names, all: names });
  });
  expect(deaths).toBeGreaterThan(30);
}, 180_000);

const manifest = `service: orders
http: { port: 8080 }
run: { instances: 2 }
release: { drain: 200ms, migrate: [node, migrate.js] }
`;
