import { expect, test } from "vitest";
import { createRuntimeByTarget } from "./by-target.ts";
import { type InstanceSpec, RuntimeError } from "./contract.ts";
import { createMemoryRuntime } from "./memory.ts";

const specIn = (environment: string): InstanceSpec => ({
  ...{ name: `orders-${environment}`, environment, kind: "service", image: "here", env: {} },
  ...{ labels: { environment }, cpu: 1, memory: 1 },
});

function bench() {
  const [docker, swarm] = [createMemoryRuntime({ images: ["here"] }), createMemoryRuntime({ images: ["here"] })];
  const files: Record<string, "docker" | "swarm"> = { test: "docker", production: "swarm" };
  const ofSwarm = new Set<string>();
  const targets = createRuntimeByTarget({
    ...{ docker, swarm, isOfSwarm: (id) => ofSwarm.has(id) },
    targetOf: async (environment) => files[environment],
  });
  const start = async (environment: string) => {
    await targets.runtime.ensureNetwork(environment);
    const { id } = await targets.runtime.start(specIn(environment));
    if ((await swarm.inspect(id)) !== undefined) ofSwarm.add(id);
    return id;
  };
  return { docker, swarm, files, start, ...targets };
}

test("an instance runs where the file of its environment says, and is found, stopped and removed there", async () => {
  const { docker, swarm, start, runtime } = bench();
  const [first, second] = [await start("test"), await start("production")];
  expect((await docker.list({})).map(({ id }) => id)).toEqual([first]);
  expect((await swarm.list({})).map(({ id }) => id)).toEqual([second]);
  expect((await runtime.list({})).map(({ id }) => id)).toEqual([first, second]);
  await runtime.stop(second, { graceMs: 0 });
  expect(await runtime.inspect(second)).toMatchObject({ state: "exited" });
  await runtime.remove(second);
  expect(await swarm.list({})).toEqual([]);
});

test("an environment that serves stays where it is when its file changes or goes, and says that it cannot move", async () => {
  const { docker, files, start, runtime, whyUnfit } = bench();
  await start("test");
  files["test"] = "swarm";
  await runtime.start({ ...specIn("test"), name: "another" });
  expect(await docker.list({})).toHaveLength(2);
  expect(await whyUnfit("test")).toMatch(/runs on the target `docker`.*says `swarm`/);
  delete files["test"];
  expect(await whyUnfit("test")).toBeUndefined();
  expect(await runtime.list({ environment: "test" })).toHaveLength(2);
});

test("an environment of which nothing runs goes to its new target", async () => {
  const { swarm, files, start, runtime, whyUnfit } = bench();
  await runtime.remove(await start("test"));
  files["test"] = "swarm";
  expect(await whyUnfit("test")).toBeUndefined();
  await start("test");
  expect(await swarm.list({ environment: "test" })).toHaveLength(1);
});

test("an environment whose file is gone is removed from the target that has its network, whichever that is", async () => {
  const { swarm, files, start, runtime } = bench();
  await runtime.remove(await start("production"));
  delete files["production"];
  const later = createRuntimeByTarget({
    ...{ docker: createMemoryRuntime({ images: [] }), swarm, isOfSwarm: () => true },
    targetOf: async () => undefined,
  });
  expect(await later.runtime.environments()).toEqual(["production"]);
  await later.runtime.removeEnvironment("production", { volumes: "keep" });
  expect(await later.runtime.environments()).toEqual([]);
});

test("an engine that is no manager is said to be unfit; any other failure is one", async () => {
  const { swarm, whyUnfit } = bench();
  swarm.ensureNetwork = () => Promise.reject(new RuntimeError("unfit", "run `docker swarm init`"));
  expect(await whyUnfit("production")).toBe("run `docker swarm init`");
  swarm.ensureNetwork = () => Promise.reject(new RuntimeError("deadline", "too late"));
  await expect(whyUnfit("production")).rejects.toMatchObject({ code: "deadline" });
});
