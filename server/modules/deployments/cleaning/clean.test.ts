import { sql } from "kysely";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { KeepRule } from "#api/keep-releases.ts";
import { openDeploymentsPlace } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

test("images of releases that nobody goes back to leave the host; the last five of each environment, and others' images, stay", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const removed: string[] = [];
  const removeImage = place.runtime.removeImage.bind(place.runtime);
  place.runtime.removeImage = async (image, call) => {
    await removeImage(image, call);
    removed.push(
      Buffer.from(image.replace(/^.*sha256:/, ""), "hex")
        .toString()
        .replaceAll("\0", ""),
    );
  };
  for (let n = 1; n <= 7; n++) {
    await server.publish("orders", commitNumber(n), `variant ${n}`);
    await server.deploy("orders", n);
    if (n === 1) await server.deploy("orders", n, "production");
  }
  // Release 1 serves in production, so it stays.
  await until(() => removed.length > 0);
  expect(removed).toEqual(["variant 2"]);
});

test("an old image that is in use stays until the next deployment has ended", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const asked: string[] = [];
  let removed = false;
  const removeImage = place.runtime.removeImage.bind(place.runtime);
  for (let n = 1; n <= 6; n++) {
    await server.publish("orders", commitNumber(n), `variant ${n}`);
    await server.deploy("orders", n);
    if (n > 1) continue;
    const [instance] = await place.runtime.list({ service: "orders" });
    const spec = { environment: "test", image: instance?.image ?? "", env: {}, labels: {}, cpu: 1, memory: 1024 };
    await place.runtime.start({ ...spec, name: "guest", kind: "service" });
    place.runtime.removeImage = async (image, call) => {
      asked.push(image);
      await removeImage(image, call);
      removed = true;
    };
  }
  await until(() => asked.length > 0);
  expect(removed).toBe(false);
  const guest = (await place.runtime.list({})).find(({ name }) => name === "guest");
  await place.runtime.remove(guest?.id ?? "");
  await server.deploy("orders", 6);
  await until(() => removed);
  expect(new Set(asked).size).toBe(1);
  const before = asked.length;
  await server.deploy("orders", 6);
  expect(asked).toHaveLength(before);
});

test("the plan tells of every image where it stands and why it stays; cleaning retires old releases, which are then refused", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server({ keep: { served: 2, releases: [{ kind: "newest", count: 2 }] } });
  for (let n = 1; n <= 5; n++) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  await server.deploy("orders", 2);
  const planned = await server.call("planCleaning", {});
  expect(planned).toMatchObject({ rule: "keep the last 2 releases, and everything deployed" });
  const told = isRefusal(planned) ? [] : planned.images.map(({ place: at, name, goes, why }) => [at, name, goes, why]);
  expect(told).toEqual([
    ["host", expect.stringContaining("orders@sha256:"), false, "one of the last 2 that served in test"],
    ["host", expect.stringContaining("orders@sha256:"), false, "serves in test as release 2"],
    ["registry", "release 5", false, "is kept by the rule: the last 2 releases"],
    ["registry", "release 4", false, "is kept by the rule: the last 2 releases"],
    ["registry", "release 3", true, "no rule keeps it: 2 releases are newer, it is 0 days old and deployed nowhere"],
    ["registry", "release 2", false, "serves in test as release 2"],
    ["registry", "release 1", false, "one of the last 2 that served in test"],
  ]);

  expect(await server.call("cleanImages", {})).toMatchObject({ removed: [{ place: "registry", name: "release 3" }] });
  await until(async () => (await server.releases.release("orders", 3))?.retiredAt !== null);
  expect(await place.events("deployments.release-retired")).toMatchObject([{ service: "orders", number: 3 }]);
  const asked = { body: { service: "orders", environment: "test", release: 3 } };
  expect(await server.call("createDeployment", asked)).toMatchObject({ refused: "release.retired" });
  expect(await server.call("cleanImages", {})).toMatchObject({ removed: [] });
});

test("cleaning follows the rules: by age alone, by everything deployed alone, and nothing goes where every release is kept", async () => {
  await using place = await openDeploymentsPlace();
  const goingBy = async (releases: readonly KeepRule[]) => {
    await using server = await place.server({ keep: { served: 1, releases } });
    const planned = await server.call("planCleaning", {});
    return isRefusal(planned) ? [] : planned.images.flatMap(({ goes, name }) => (goes ? [name] : []));
  };
  {
    await using server = await place.server();
    for (let n = 1; n <= 4; n++) await server.publish("orders", commitNumber(n), `variant ${n}`);
    await server.deploy("orders", 2);
  }
  await sql`update releases set created_at = created_at - interval '10 days' where number < 4`.execute(
    place.database.db,
  );
  expect(await goingBy([{ kind: "days", count: 11 }])).toEqual([]);
  expect(await goingBy([{ kind: "days", count: 10 }])).toEqual(["release 3", "release 1"]);
  expect(await goingBy([])).toEqual(["release 4", "release 3", "release 1"]);
  expect(await goingBy([{ kind: "every" }])).toEqual([]);
});

test("an image that is needed and that somebody removed from the host is brought back", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  for (let n = 1; n <= 2; n++) {
    await server.publish("orders", commitNumber(n), `variant ${n}`);
    await server.deploy("orders", n);
  }
  const before = await place.runtime.heldImages();
  const serving = new Set((await place.runtime.list({})).map(({ image }) => image));
  const unused = before.find(({ image }) => !serving.has(image));
  await place.runtime.removeImage(unused?.image ?? "");
  expect(await place.runtime.heldImages()).toHaveLength(1);
  await server.call("cleanImages", {});
  expect(new Set((await place.runtime.heldImages()).map(({ image }) => image))).toEqual(
    new Set(before.map(({ image }) => image)),
  );
});

test("below the floor of the disk nothing new is deployed, and going back still works", async () => {
  await using place = await openDeploymentsPlace();
  let free = 100;
  const disk = { free: async () => free, floor: 50, mark: 80 };
  await using server = await place.server({ disk });
  for (let n = 1; n <= 3; n++) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  await server.deploy("orders", 2);
  free = 49;
  const body = { service: "orders", environment: "test" };
  expect(await server.call("createDeployment", { body })).toMatchObject({ refused: "disk.full" });
  const back = await server.call("rollBack", { body });
  expect(await server.ended(isRefusal(back) ? "" : back.id)).toMatchObject({ outcome: "succeeded", release: 1 });
  expect(await server.call("planCleaning", {})).toMatchObject({ disk: { free: 49, floor: 50, mark: 80 } });
});

test("below the floor of the disk what goes on by itself waits, says why, and goes on when there is room", async () => {
  await using place = await openDeploymentsPlace();
  place.world.environments["test"] = "target: docker\nwatch: 0s\npromotion: automatic\n";
  let free = 49;
  await using server = await place.server({ disk: { free: async () => free, floor: 50, mark: 80 } });
  await server.publish("orders", commitNumber(1));
  const promoted = async () => {
    const answer = await server.call("listDeployments", { query: { service: "orders" } });
    return isRefusal(answer) ? undefined : answer.deployments[0];
  };
  await until(async () => (await promoted())?.wait?.kind === "gate");
  expect(await promoted()).toMatchObject({
    state: "waiting",
    wait: { message: expect.stringContaining("on the disk") },
  });
  free = 100;
  expect(await server.ended((await promoted())?.id ?? "")).toMatchObject({ outcome: "succeeded" });
});
