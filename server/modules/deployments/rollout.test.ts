import { expect, test } from "vitest";
import { openDeploymentsPlace } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";

test("a release is deployed, its traffic shifted, and nothing is left of the one before", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const first = await server.publish("orders", commitNumber(1));
  expect(await server.deploy("orders", first.number)).toMatchObject({ outcome: "succeeded", reason: null });
  expect(await place.serving("orders")).toMatchObject({ releases: [1] });
  const second = await server.publish("orders", commitNumber(2));
  const ended = await server.deploy("orders", second.number);
  expect(ended).toMatchObject({ outcome: "succeeded" });
  expect(ended.steps.map(({ phase }) => phase)).toEqual([
    ...["plan", "prepare", "pull", "start", "probe", "swap", "drain", "watch", "stop"],
  ]);
  const serving = await place.serving("orders");
  expect(serving.releases).toEqual([2]);
  expect(serving.all).toEqual(serving.instances);
});
