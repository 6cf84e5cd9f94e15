/** What a release, a host or two people may do wrong: the end state, and the words for it. The rest is in `rollout.test.ts`. */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { isRefusal, orThrow } from "#api/errors.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { lockWaiters } from "#testing/database.ts";
import { openDeploymentsPlace } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

/** Release 1 serves, release 2 is made. */
async function openScene() {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders"];
  for (const n of [1, 2]) place.world.manifests.set(commitNumber(n), manifestOf("orders"));
  const server = await place.server();
  for (const n of [1, 2]) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, [Symbol.asyncDispose]: dispose };
}

test("an image that does not fit onto the disk fails at once and says so; what served serves on, and with room it goes", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const pull = place.runtime.pull.bind(place.runtime);
  place.runtime.pull = async () => {
    throw new RuntimeError("disk-full", "write /var/lib/docker/tmp/layer: no space left on device");
  };
  const failed = await server.deploy("orders", 2);
  expect(failed).toMatchObject({ outcome: "failed", reason: expect.stringContaining("no space left on device") });
  expect(failed.steps.find(({ phase }) => phase === "pull")?.detail).toContain("no space left");
  expect((await place.serving("orders")).releases).toEqual([1]);
  place.runtime.pull = pull;
  expect(await server.deploy("orders", 2)).toMatchObject({ outcome: "succeeded" });
});

test("with the registry down a new image fails after its deadline and names the registry; what served serves on", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.runtime.registryDown = true;
  const failed = await server.deploy("orders", 2);
  expect(failed).toMatchObject({ outcome: "failed", reason: expect.stringContaining("does not answer") });
  expect((await place.serving("orders")).releases).toEqual([1]);
});

test("a release that ignores SIGTERM is ended with its grace, and does not hold up the one after it", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.behave = () => ({ ignoresStop: true });
  await server.deploy("orders", 2);
  place.world.behave = undefined;
  await server.publish("orders", commitNumber(3), "variant 3");
  expect(await server.deploy("orders", 3)).toMatchObject({ outcome: "succeeded" });
  const { releases, all } = await place.serving("orders");
  expect([releases, all.length]).toEqual([[3], 1]);
});

test("two people who press the button at once get one deployment, with the name of the first", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const body = { service: "orders", environment: "test", release: 2 };
  // A lock holds it, so that neither can be done before the other has asked.
  const locked = { service: "orders", environment: "test", reason: "two at once", seconds: 60 };
  await server.call("lockPlace", { body: locked });
  const asked = await Promise.all(
    ["ann", "bob"].map((name) => server.call("createDeployment", { body }, { name, role: "lead" })),
  );
  const made = asked.flatMap((each) => (isRefusal(each) ? [] : [each]));
  expect(made).toHaveLength(2);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(new Set(made.map(({ actor }) => actor)).size).toBe(1);
  await server.call("unlockPlace", { query: { service: "orders", environment: "test" } });
  expect(await server.ended(made[0]?.id ?? "")).toMatchObject({ outcome: "succeeded" });
  expect((await place.serving("orders")).releases).toEqual([2]);
});

test("a wish that is asked for again after its answer was lost is granted once, and its name is not lent to another", async () => {
  await using scene = await openScene();
  const { server } = scene;
  const body = { service: "orders", environment: "test", release: 2, request: randomUUID() };
  const asked = await Promise.all([1, 2, 3].map(() => server.call("createDeployment", { body })));
  const made = asked.map((each) => orThrow(each).id);
  expect(new Set(made).size).toBe(1);
  expect(await server.ended(made[0] ?? "")).toMatchObject({ outcome: "succeeded" });
  expect(orThrow(await server.call("createDeployment", { body }))).toMatchObject({ id: made[0], outcome: "succeeded" });
  const other = await server.call("rollBack", { body: { ...body, release: 1 } });
  expect(other).toMatchObject({ refused: "request.invalid", message: expect.stringContaining("something else") });
});

test("of two wishes by one name for two places the first is granted, also where both come at once", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const { db } = place.database;
  place.world.environments["staging"] = place.world.environments["test"] ?? "";
  const body = { service: "orders", release: 2, request: randomUUID() };
  const wish = (environment: string) => server.call("createDeployment", { body: { ...body, environment } });
  const { first, second } = await db.transaction().execute(async (tx) => {
    await sql`select 1 from lanes where environment = 'test' for update`.execute(tx);
    const first = wish("test");
    await until(async () => (await lockWaiters(db)) === 1);
    const second = wish("staging");
    await Promise.race([second, until(async () => (await lockWaiters(db)) === 2)]);
    return { first, second };
  });
  expect(orThrow(await first)).toMatchObject({ environment: "test" });
  expect(await second).toMatchObject({
    refused: "request.invalid",
    message: expect.stringContaining("something else"),
  });
});
