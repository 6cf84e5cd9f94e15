import { expect, test } from "vitest";
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
    };
  }
  await until(() => asked.length === 1);
  const guest = (await place.runtime.list({})).find(({ name }) => name === "guest");
  await place.runtime.remove(guest?.id ?? "");
  await server.deploy("orders", 6);
  await until(() => asked.length === 2);
  expect(new Set(asked).size).toBe(1);
  await server.deploy("orders", 6);
  expect(asked).toHaveLength(2);
});
