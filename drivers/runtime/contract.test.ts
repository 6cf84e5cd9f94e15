import { expect, test } from "vitest";
import { type Instance, whyNotServing } from "./contract.ts";

const running: Instance = {
  id: "1",
  name: "a",
  environment: "test",
  kind: "service",
  labels: {},
  image: "a",
  imageId: "sha256:0",
  state: "running",
  oomKilled: false,
  restarts: 0,
};

test.each<[Partial<Instance>, string | undefined]>([
  [{}, undefined],
  [{ state: "exited", exitCode: 3 }, "it exited with exit code 3"],
  [{ state: "exited", exitCode: 137, oomKilled: true }, "it ran out of memory"],
  [
    { state: "exited", exitCode: 137, oomKilled: false },
    "it exited with exit code 137 (SIGKILL, perhaps for want of memory)",
  ],
  [{ state: "created" }, "it was never started"],
  [{ restarts: 2 }, "it exited and was started again"],
  [{ state: "restarting", exitCode: 1, restarts: 1 }, "it exited with exit code 1 and was started again"],
])("an instance %j does not serve because: %s", (change, why) => {
  expect(whyNotServing({ ...running, ...change })).toBe(why);
});
