import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import {
  deployed,
  files,
  finish,
  lease,
  mustLease,
  published,
  push,
  show,
  start,
  stepOf,
  work,
} from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

const locked = (method = "ordered", more = "") => `steps:
  - { key: migrate, command: migrate, concurrency: 1, concurrency_group: database, concurrency_method: ${method}${more} }
`;
const waits = (build: BuildDetails, key: string) => stepOf(build, key).waits.map(({ text }) => text);
const passed = { outcome: "passed", exitStatus: 0 } as const;

test("two jobs of a group never run at once over all builds, and who waits is told behind whom", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await push(place, server, { repository: "orders", files: files(locked()) });
  const second = await push(place, server, { repository: "cart", files: files(locked()) });
  const third = await push(place, server, { repository: "shop", files: files(locked()) });
  const first = await mustLease(server);
  expect(await lease(server, { agent: "a2" })).toBeNull();
  expect(waits(await show(server, second.id), "migrate")).toEqual([
    "for a slot of the concurrency group database (1 at a time), held by orders #1 migrate",
  ]);
  expect(stepOf(await show(server, second.id), "migrate").waits[0]?.reason).toMatchObject({
    ...{ kind: "slot", group: "database", limit: 1 },
    held: [{ repository: "orders", number: 1, step: "migrate" }],
  });
  await start(server, first);
  await finish(server, first, passed);
  expect(waits(await show(server, third.id), "migrate")).toEqual([
    "for its turn in the concurrency group database, after cart #1 migrate",
  ]);
  expect((await mustLease(server)).build.id).toBe(second.id);
});

test("a slot is held until the agent has confirmed its stop, or its lease and grace are over", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const first = await push(place, server, { files: files(locked()) });
  await push(place, server, { repository: "cart", files: files(locked()) });
  const running = await mustLease(server);
  await start(server, running);
  orThrow(await server.admin.cancelBuild({ params: { id: first.id } }));
  expect(await lease(server, { agent: "a2" })).toBeNull();
  for (let n = 0; n < 3; n++) await server.passTime(6_000);
  expect(await lease(server, { agent: "a2" })).toBeNull();
  await server.passTime(6_000);
  const next = await mustLease(server, { agent: "a2" });
  expect(next.build.repository).toBe("cart");
  await start(server, next);
  await finish(server, next, { outcome: "canceled" });
});

test("a slot is passed on to the agent that waits for the job behind it", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await push(place, server, { files: files(locked()) });
  await push(place, server, { repository: "cart", files: files(locked()) });
  const first = await mustLease(server);
  const waiting = mustLease(server, { agent: "a2" });
  await start(server, first);
  await finish(server, first, passed);
  expect((await waiting).build.repository).toBe("cart");
});

test("in order: the first waits for its own agent and the others for it; eager: whoever can, goes", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const large = ", agents: { queue: large }";
  await push(place, server, { files: files(locked("ordered", large)) });
  await push(place, server, { files: files(locked("ordered")) });
  expect(await lease(server)).toBeNull();
  const eager = (more = "") => files(locked("eager", more).replace("database", "cache"));
  await push(place, server, { files: eager(large) });
  const able = await push(place, server, { files: eager() });
  expect((await mustLease(server)).build.id).toBe(able.id);
});

test("a gate holds no slot, and a deployment takes its own when it is asked for", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `steps:
  - publish: .
  - block: Go
  - { key: live, deploy: production, concurrency: 1, concurrency_group: production }
`;
  const [first, second] = [
    await push(place, server, { files: files(pipeline) }),
    await push(place, server, { files: files(pipeline) }),
  ];
  await work(server, published);
  await work(server, published);
  // The older build stands at its gate; the newer one goes by.
  const gate = (id: string) => server.admin.unblockStep({ params: { id } }).then(orThrow);
  await gate(second.id);
  expect(stepOf(await show(server, second.id), "live").state).toBe("requested");
  await gate(first.id);
  expect(waits(await show(server, first.id), "live")).toEqual([
    "for a slot of the concurrency group production (1 at a time), held by orders #2 live",
  ]);
  expect(await place.events("builds.deploy-requested")).toHaveLength(1);
  await deployed(place, server, "succeeded");
  await until(async () => (await place.events("builds.deploy-requested")).length === 2);
  await deployed(place, server, "succeeded");
  expect((await show(server, first.id)).outcome).toBe("passed");
});

test("jobs of one build that share a group go one after the other, the higher priority first", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const job = (key: string, more: string) => `  - { key: ${key}, command: x, ${more} }\n`;
  const group = "concurrency: 1, concurrency_group: g, concurrency_method: eager";
  const pipeline = `steps:\n${job("a", group)}${job("b", `${group}, priority: 5`)}${job("c", "priority: 1")}${job("d", "priority: -1")}`;
  const { id } = await push(place, server, { files: files(pipeline) });
  const order: string[] = [];
  for (let n = 0; n < 4; n++) order.push((await work(server)).env["BUILDKITE_STEP_KEY"] ?? "");
  expect(order).toEqual(["b", "c", "a", "d"]);
  expect((await show(server, id)).outcome).toBe("passed");
});

test("however many agents ask at once, a group of two has two at a time, and all come to their end", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `steps:
  - { key: x, command: x, parallelism: 4, concurrency: 2, concurrency_group: g }
`;
  const builds = [];
  for (const repository of ["one", "two"])
    builds.push(await push(place, server, { repository, files: files(pipeline) }));
  let running = 0;
  let most = 0;
  const agent = async (name: string) => {
    for (;;) {
      const job = await lease(server, { agent: name, waitMs: 3_000 });
      if (!job) return;
      most = Math.max(most, ++running);
      await start(server, job);
      running--;
      await finish(server, job, passed);
    }
  };
  await Promise.all(["a1", "a2", "a3", "a4", "a5"].map(agent));
  for (const { id } of builds) expect((await show(server, id)).outcome).toBe("passed");
  expect(most).toBeLessThanOrEqual(2);
});
