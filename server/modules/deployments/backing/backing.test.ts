import { afterEach, describe, expect, test } from "vitest";
import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import type { PlayProgram } from "#drivers/runtime/memory.ts";
import { type DeploymentsPlace, type DeploymentsServer, openDeploymentsPlace } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const asked = (image = "postgres:17", more = "") =>
  `target: docker\nwatch: 0s\nbacking: { db: { image: "${image}", volume: 1Gi, backup: [dump], restore: [load]${more} } }\n`;

/** `dump` writes what is on the volume, `load` puts its input there; `bad` is a dump that it does not take. */
const tools: PlayProgram = ([name], { input, volume }) => {
  if (name === "dump") return { exitCode: 0, output: volume.content };
  if (name !== "load") return undefined;
  if (input.toString().startsWith("bad")) return { exitCode: 1, errors: ["no dump of mine"] };
  volume.content = input.toString();
  return { exitCode: 0 };
};

type Work = CallOutput<AllEndpoints["showBackingWork"]>;
const db = { environment: "test", name: "db" };

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  while (opened.length > 0) await opened.pop()?.[Symbol.asyncDispose]();
});

/** `orders` serves in test and uses `db`, which holds `rows`. */
async function scene(environment = asked()) {
  const place = await openDeploymentsPlace();
  opened.push(place);
  place.world.services = ["orders"];
  place.world.environments["test"] = environment;
  place.world.play = tools;
  place.world.manifests.set(commitNumber(1), manifestOf("orders", "uses: [db]\n"));
  place.world.manifests.set(commitNumber(2), manifestOf("orders"));
  const server = await place.server();
  opened.push(server);
  await server.publish("orders", commitNumber(1));
  expect(await server.deploy("orders", 1)).toMatchObject({ outcome: "succeeded" });
  write(place, "rows");
  return { place, server };
}

const write = (place: DeploymentsPlace, content: string) => {
  for (const volume of place.runtime.volumes.values()) volume.content = content;
};
const held = (place: DeploymentsPlace) => [...place.runtime.volumes.values()].map(({ content }) => content);
const taken = <T>(answer: T | Refusal): T => {
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
};
const ended = async (server: DeploymentsServer, { id }: Work): Promise<Work> => {
  let work: Work | undefined;
  await until(
    async () => {
      work = taken(await server.call("showBackingWork", { params: { id } }));
      return work.state !== "running";
    },
    { describe: () => JSON.stringify(work) },
  );
  return work as Work;
};
const backUp = async (server: DeploymentsServer, at = db) =>
  ended(server, taken(await server.call("backUpBacking", { params: at })));
const restore = async (server: DeploymentsServer, from: string, at = db) =>
  ended(server, taken(await server.call("restoreBacking", { params: at, body: { from } })));
const listed = async (server: DeploymentsServer) => taken(await server.call("listBackings", {})).backings;

describe("a backup", () => {
  test("is kept, listed, and shown as the last one", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    expect(backup).toMatchObject({ state: "succeeded", size: 4, kind: "backup", actor: "ada" });
    expect(await place.backups.size(backup.digest ?? "")).toBe(4);
    expect(await listed(server)).toMatchObject([
      { name: "db", state: "running", askedFor: true, lastBackup: { id: backup.id } },
    ]);
    expect(taken(await server.call("listBackingWorks", { params: db })).works).toEqual([backup]);
    expect(await place.events("deployments.backing-changed")).toMatchObject([
      { change: "backup", outcome: "started", actor: "ada" },
      { change: "backup", outcome: "succeeded", work: backup.id },
    ]);
  });

  test("takes the place of the oldest when there are as many as are kept", async () => {
    const { place, server } = await scene(asked("postgres:17", ", backups: 2"));
    const all: Work[] = [];
    for (const content of ["one", "two", "three"]) {
      write(place, content);
      all.push(await backUp(server));
    }
    const { works } = taken(await server.call("listBackingWorks", { params: db }));
    expect(works.map(({ id }) => id)).toEqual([all[2]?.id, all[1]?.id]);
  });

  test("that fails says why without the password, and nothing of it is kept", async () => {
    const { place, server } = await scene();
    const fails = async (play: PlayProgram, reason: string) => {
      place.world.play = play;
      const backup = await backUp(server);
      expect(backup).toMatchObject({ state: "failed", digest: null });
      expect(backup.detail).toContain(reason);
    };
    await fails(() => undefined, "the image postgres:17 has no such program");
    await fails(() => ({ exitCode: 3, errors: ["out of luck"] }), "ended with 3\n  out of luck");
    await fails(() => ({ exitCode: 1, errors: ["login as password of db in test"] }), "login as •••");
    await fails(() => ({ exitCode: 0, output: "" }), "wrote nothing");
    place.world.environments["test"] = asked().replace(", backup: [dump], restore: [load]", "");
    await fails(() => ({ exitCode: 0, output: "rows" }), "no dump of the format postgres");
    expect(await Array.fromAsync(place.backups.blobs())).toEqual([]);
    place.world.play = () => ({ exitCode: 0, output: "PGDMP rows" });
    expect(await backUp(server)).toMatchObject({ state: "succeeded", format: "postgres" });
  });

  test("is refused where nothing runs, to those who may not, and beside another", async () => {
    const { place, server } = await scene();
    const asking = Promise.withResolvers<{ exitCode: number; output: string }>();
    place.world.play = () => asking.promise;
    const first = taken(await server.call("backUpBacking", { params: db }));
    expect(await server.call("backUpBacking", { params: db })).toMatchObject({ refused: "conflict" });
    asking.resolve({ exitCode: 0, output: "rows" });
    await ended(server, first);
    const none = { environment: "test", name: "cache" };
    expect(await server.call("backUpBacking", { params: none })).toMatchObject({ refused: "not-found" });
    place.world.environments["test"] = `${asked()}after: dev\n`;
    expect(await server.call("backUpBacking", { params: db }, "developer")).toMatchObject({
      refused: "auth.forbidden",
    });
  });

  test("is canceled while it runs", async () => {
    const { place, server } = await scene();
    const never = new Promise<never>(() => {});
    place.world.play = () => never;
    const begun = taken(await server.call("backUpBacking", { params: db }));
    expect(await server.call("cancelBackingWork", { params: { id: begun.id } })).toMatchObject({ id: begun.id });
    expect(await ended(server, begun)).toMatchObject({ state: "canceled", detail: "canceled by ada" });
  });

  test("that its server died over is made by the next one", async () => {
    const { place, server } = await scene();
    const never = new Promise<never>(() => {});
    place.world.play = () => never;
    const begun = taken(await server.call("backUpBacking", { params: db }));
    await server[Symbol.asyncDispose]();
    place.world.play = tools;
    const next = await place.server();
    opened.push(next);
    expect(await ended(next, begun)).toMatchObject({ state: "succeeded", size: 4 });
  });
});

describe("a restore", () => {
  test("puts the backup in place, after a backup of what was there, with its users held meanwhile", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    write(place, "newer rows");
    place.world.play = (command, given) => {
      if (command[0] === "load") seen = place.balancer.request("orders.test.localhost", 0);
      return tools(command, given);
    };
    let seen: unknown;
    const done = await restore(server, backup.id);
    expect(done).toMatchObject({ state: "succeeded", from: backup.id });
    expect(seen).toBe(503);
    expect(held(place)).toEqual(["rows"]);
    const safety = taken(await server.call("showBackingWork", { params: { id: done.safety ?? "" } }));
    expect(safety).toMatchObject({ state: "succeeded", size: 10, ofRestore: done.id });
    await until(async () => (await place.serving("orders")).instances.length === 1);
    expect((await place.runtime.list({})).filter(({ kind }) => kind === "backing")).toHaveLength(1);
    const again = await restore(server, safety.id);
    expect(again).toMatchObject({ state: "succeeded" });
    expect(held(place)).toEqual(["newer rows"]);
  });

  test("that fails leaves the former data, and says so", async () => {
    const { place, server } = await scene();
    write(place, "bad rows");
    const backup = await backUp(server);
    write(place, "rows");
    const done = await restore(server, backup.id);
    expect(done).toMatchObject({ state: "failed" });
    expect(done.detail).toMatch(/no dump of mine; the data is as it was$/);
    expect(held(place)).toEqual(["rows"]);
    await until(async () => (await place.serving("orders")).instances.length === 1);
  });

  test("whose instance does not come up goes back to the former data", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    write(place, "newer rows");
    const start = place.runtime.start.bind(place.runtime);
    place.runtime.start = async (spec, call) => {
      if (spec.name === "backing-test-db-g2") throw new RuntimeError("start-failed", "it does not start");
      return start(spec, call);
    };
    const done = await restore(server, backup.id);
    expect(done).toMatchObject({ state: "failed", detail: "it does not start; the former data serves again" });
    expect(held(place)).toEqual(["newer rows"]);
    await until(async () => (await place.serving("orders")).instances.length === 1);
  });

  test("goes on where the server died, and changes over once", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    write(place, "newer rows");
    const never = new Promise<never>(() => {});
    place.world.play = ([name], given) => (name === "load" ? never : tools([name ?? ""], given));
    const begun = taken(await server.call("restoreBacking", { params: db, body: { from: backup.id } }));
    await until(async () => (await place.runtime.list({ restore: begun.id })).length === 1);
    await server[Symbol.asyncDispose]();
    place.world.play = tools;
    const next = await place.server();
    opened.push(next);
    expect(await ended(next, begun)).toMatchObject({ state: "succeeded" });
    expect(held(place)).toEqual(["rows"]);
    expect(await place.runtime.list({ restore: begun.id })).toEqual([]);
  });

  test("is canceled before it changes over, and holds deployments of its environment until then", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    await server.publish("orders", commitNumber(2), "variant 1");
    const never = new Promise<never>(() => {});
    place.world.play = ([name], given) => (name === "load" ? never : tools([name ?? ""], given));
    const begun = taken(await server.call("restoreBacking", { params: db, body: { from: backup.id } }));
    await until(async () => (await place.runtime.list({ restore: begun.id })).length === 1);
    const wish = { service: "orders", environment: "test", release: 2 };
    const waiting = taken(await server.call("createDeployment", { body: wish }));
    await until(async () => {
      const { wait } = taken(await server.call("showDeployment", { params: { id: waiting.id } }));
      return wait?.message.includes("db is being restored") ?? false;
    });
    await server.call("cancelBackingWork", { params: { id: begun.id } });
    expect(await ended(server, begun)).toMatchObject({ state: "canceled" });
    expect(held(place)).toEqual(["rows"]);
    expect(await server.ended(waiting.id)).toMatchObject({ outcome: "succeeded" });
  });

  test("goes into another environment, also before anything was deployed there", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    const there = { environment: "staging", name: "db" };
    place.world.environments["staging"] = asked();
    expect(await restore(server, backup.id, there)).toMatchObject({ state: "succeeded", safety: null });
    expect([...place.runtime.volumes].filter(([key]) => key.startsWith("staging/"))).toMatchObject([
      ["staging/2-db", { content: "rows" }],
    ]);
  });

  test("is refused for another format, where nothing is kept, and for what is no backup", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    const asks = (body: object) => server.call("restoreBacking", { params: db, body });
    expect(await asks({ from: crypto.randomUUID() })).toMatchObject({ refused: "not-found" });
    place.world.environments["test"] =
      "target: docker\nwatch: 0s\nbacking: { db: { image: postgres:17, volume: 1Gi } }\n";
    expect(await asks({ from: backup.id })).toMatchObject({
      refused: "conflict",
      message: "the backup is of the format commands of postgres, and db takes postgres",
    });
  });

  test("of one that does not run asks whether to do without the backup first", async () => {
    const { place, server } = await scene();
    const backup = await backUp(server);
    const start = place.runtime.start.bind(place.runtime);
    place.runtime.start = async (spec, call) => {
      if (spec.name === "backing-test-db-g1") throw new RuntimeError("start-failed", "broken data");
      return start(spec, call);
    };
    for (const { id } of await place.runtime.list({ backing: "db" })) await place.runtime.remove(id);
    const asks = (body: object) => server.call("restoreBacking", { params: db, body });
    expect(await asks({ from: backup.id })).toMatchObject({ refused: "conflict" });
    const begun = taken(await asks({ from: backup.id, backUpFirst: false }));
    expect(await ended(server, begun)).toMatchObject({ state: "succeeded" });
  });
});

describe("a backing service", () => {
  test("that its environment changes is replaced by itself, with its data", async () => {
    const { place, server } = await scene();
    place.world.environments["test"] = asked("postgres:18");
    await until(async () => (await listed(server))[0]?.image === "postgres:18");
    await until(async () => (await listed(server))[0]?.state === "running");
    expect(held(place)).toEqual(["rows"]);
    expect(await place.events("deployments.backing-changed")).toMatchObject([{ change: "replaced" }]);
  });

  test("stays as it is while the environment is locked or frozen", async () => {
    const { place, server } = await scene();
    const lock = { service: "*", environment: "test", reason: "looking", seconds: 60 };
    taken(await server.call("lockPlace", { body: lock }));
    place.world.environments["test"] = asked("postgres:18");
    for (const { id } of await place.runtime.list({ backing: "db" })) await place.runtime.remove(id);
    await until(async () => (await listed(server))[0]?.state === "running");
    expect(await listed(server)).toMatchObject([{ image: "postgres:17" }]);
    await server.call("unlockPlace", { query: { service: "*", environment: "test" } });
    await until(async () => (await listed(server))[0]?.image === "postgres:18");
  });

  test("that its environment asks for no more runs on, until it is removed with its data", async () => {
    const { place, server } = await scene();
    const remove = () => server.call("removeBacking", { params: db, query: { destroyData: "true" } });
    expect(await remove()).toMatchObject({ refused: "conflict", message: "environments/test.yml asks for db" });
    await backUp(server);
    place.world.environments["test"] = "target: docker\nwatch: 0s\n";
    expect(await listed(server)).toMatchObject([{ askedFor: false, state: "running" }]);
    expect(await remove()).toMatchObject({ refused: "conflict", message: "orders in test use db" });
    await server.publish("orders", commitNumber(2), "variant 1");
    expect(await server.deploy("orders", 2)).toMatchObject({ outcome: "succeeded" });
    expect(held(place)).toEqual(["rows"]);
    expect(await remove()).toEqual({ removed: true });
    expect(held(place)).toEqual([]);
    expect(await listed(server)).toEqual([]);
    expect(taken(await server.call("listBackingWorks", { params: db })).works).toHaveLength(1);
  });

  test("whose removal a dead server began is removed by the next one", async () => {
    const { place, server } = await scene();
    await server.publish("orders", commitNumber(2), "variant 1");
    await server.deploy("orders", 2);
    place.world.environments["test"] = "target: docker\nwatch: 0s\n";
    const { removeVolume } = place.runtime;
    place.runtime.removeVolume = () => Promise.reject(new RuntimeError("docker-unreachable", "gone"));
    await expect(server.call("removeBacking", { params: db, query: { destroyData: "true" } })).rejects.toThrow("gone");
    place.runtime.removeVolume = removeVolume;
    await until(async () => (await listed(server)).length === 0);
    expect(held(place)).toEqual([]);
  });
});
