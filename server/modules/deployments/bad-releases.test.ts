/** What a release, a host or two people may do wrong: the end state, and the words for it. The rest is in `rollout.test.ts`. */
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { openDeploymentsPlace } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";

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
