import { describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import {
  type DeploymentsServer,
  openDeploymentsPlace,
  patientTiming,
  type Person,
} from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const orders = { service: "orders", environment: "test" };
const eve: Person = { name: "eve", role: "analyst" };
const lea: Person = { name: "lea", role: "lead" };
const max: Person = { name: "max", role: "developer" };

/** A server that knows the releases 1 to `releases` of `orders`, and one of `catalog`; `rules` are those of `test`. */
async function openScene(rules: string, releases = 2) {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders", "catalog"];
  place.world.environments["test"] = `target: docker\nwatch: 0s\n${rules}\n`;
  const server = await place.server({ timing: patientTiming });
  for (let n = 1; n <= releases; n++) await server.publish("orders", commitNumber(n));
  await server.publish("catalog", commitNumber(1));
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, [Symbol.asyncDispose]: dispose };
}

async function ask(server: DeploymentsServer, release: number, more: object = {}) {
  const made = await server.call("createDeployment", { body: { ...orders, release, ...more } }, lea);
  if (isRefusal(made)) throw new Error(made.message);
  return made.id;
}

async function shown(server: DeploymentsServer, id: string) {
  const answer = await server.call("showDeployment", { params: { id } });
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

async function waitOf(server: DeploymentsServer, id: string, word: string) {
  await until(async () => (await shown(server, id)).wait?.message.includes(word) ?? false, {
    describe: () => `a wait for ${word}`,
  });
  return (await shown(server, id)).wait;
}

const sign = (server: DeploymentsServer, release: number, person: Person, more: object = {}) =>
  server.call(
    "approveReleases",
    { body: { environment: "test", releases: [{ service: "orders", release }], ...more } },
    person,
  );

describe("a sign-off", () => {
  const rules = "sign-offs: [{ name: acceptance, roles: [analyst], users: [max, ada] }]";

  test("is waited for, visibly, and lets the deployment go on", async () => {
    await using scene = await openScene(rules);
    const { server, place } = scene;
    const id = await ask(server, 1);
    expect(await waitOf(server, id, "acceptance")).toEqual({
      kind: "gate",
      message: "acceptance of release 1 waits for the role analyst or max or ada (0 of 1)",
    });
    expect(await sign(server, 1, eve, { note: "tried the basket" })).toEqual({ signOff: "acceptance" });
    expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });
    expect(await place.events("deployments.sign-off-changed")).toMatchObject([
      { release: 1, signOff: "acceptance", change: "given", actor: "eve" },
    ]);
  });

  test("is not given by the author of a commit, by who pushed one, nor by anybody else than the rule names", async () => {
    await using scene = await openScene(rules);
    const { server, place } = scene;
    expect(await sign(server, 1, { name: "ada", role: "developer" })).toMatchObject({ refused: "sign-off.own" });
    const pushed = { repository: "orders", ref: "refs/heads/topic", after: commitNumber(2), actor: "max" };
    await place.database.db
      .transaction()
      .execute((tx) => server.emit(tx, "repository:orders", "source.ref-changed", pushed));
    await until(async () => isRefusal(await sign(server, 2, max)));
    expect(await sign(server, 2, max)).toMatchObject({ refused: "sign-off.own" });
    expect(await sign(server, 2, lea)).toMatchObject({ refused: "auth.forbidden" });
    expect(await sign(server, 2, eve, { name: "qa" })).toMatchObject({ refused: "not-found" });
    expect(await sign(server, 9, eve)).toMatchObject({ refused: "release.none" });
    // Who merges has written nothing.
    const merged = { repository: "orders", number: 1, commit: commitNumber(2), actor: "max" };
    await place.database.db
      .transaction()
      .execute((tx) => server.emit(tx, "repository:orders", "source.pull-request-merged", merged));
    await until(async () => !isRefusal(await sign(server, 2, max)));
  });

  test("is of one release: the next one waits for its own, and an older signed one is not superseded by it", async () => {
    await using scene = await openScene(`${rules}\nfreeze: [{ name: always, from: 2020-01-01, to: 2090-01-01 }]`);
    const { server } = scene;
    await sign(server, 1, eve);
    const first = await ask(server, 1);
    const second = await ask(server, 2);
    await waitOf(server, second, "acceptance of release 2");
    expect(await shown(server, first)).toMatchObject({ state: "waiting", wait: { kind: "gate" } });
    await sign(server, 2, eve);
    expect(await server.ended(first)).toMatchObject({ outcome: "superseded" });
  });

  test("is over when a newer release was deployed, and can be withdrawn before", async () => {
    await using scene = await openScene(rules);
    const { server } = scene;
    await sign(server, 1, eve);
    await sign(server, 2, eve);
    const withdrawn = { environment: "test", releases: [{ service: "orders", release: 2 }] };
    expect(await server.call("withdrawSignOffs", { body: withdrawn }, eve)).toEqual({ withdrawn: 1 });
    expect(await server.call("withdrawSignOffs", { body: withdrawn }, eve)).toMatchObject({ refused: "not-found" });
    const id = await ask(server, 2);
    await waitOf(server, id, "(0 of 1)");
    await sign(server, 2, eve);
    await server.ended(id);
    const list = await server.call("listSignOffs", { query: { service: "orders" } });
    if (isRefusal(list)) throw new Error(list.message);
    expect(list.signOffs.map(({ release, counts }) => [release, counts])).toEqual([
      [2, true],
      [1, false],
    ]);
  });

  test("covers a set of releases, all or none", async () => {
    await using scene = await openScene(rules);
    const { server } = scene;
    const set = (release: number) => [
      { service: "orders", release: 1 },
      { service: "catalog", release },
    ];
    expect(await sign(server, 1, eve, { releases: set(9) })).toMatchObject({ refused: "release.none" });
    expect(await server.call("listSignOffs", { query: {} })).toEqual({ signOffs: [] });
    await sign(server, 1, eve, { releases: set(1) });
    expect(await server.deploy("catalog", 1)).toMatchObject({ outcome: "succeeded" });
    expect(await server.deploy("orders", 1)).toMatchObject({ outcome: "succeeded" });
  });
});

describe("a lock", () => {
  const lock = (server: DeploymentsServer, place: object, person = lea) =>
    server.call("lockPlace", { body: { ...place, reason: "moving the database", seconds: 3600 } }, person);

  test("holds deployments and rollbacks, says who and why, shows in the status, and drops none", async () => {
    await using scene = await openScene("");
    const { server } = scene;
    await server.deploy("orders", 1);
    await server.deploy("orders", 2);
    expect(await lock(server, { environment: "test" })).toMatchObject({ owner: "lea", service: "*" });
    const back = await server.call("rollBack", { body: orders }, lea);
    const { id } = back as { id: string };
    expect((await waitOf(server, id, "lea has locked test"))?.message).toMatch(
      /^lea has locked test until .+Z: moving the database$/,
    );
    const status = await server.call("getStatus", {});
    expect(status).toMatchObject({
      services: expect.arrayContaining([
        expect.objectContaining({
          service: "orders",
          cells: [
            expect.objectContaining({ locks: [expect.objectContaining({ owner: "lea" })] }),
            expect.objectContaining({ locks: [] }),
          ],
        }),
      ]),
    });
    expect(await server.call("unlockPlace", { query: { environment: "test" } }, lea)).toEqual({ unlocked: true });
    expect(await server.ended(id)).toMatchObject({ outcome: "succeeded", kind: "rollback" });
  });

  test("has one owner, who alone or an admin takes it away, and only the lock that was meant", async () => {
    await using scene = await openScene("", 0);
    const { server, place } = scene;
    const both = await Promise.all([lock(server, orders, max), lock(server, orders, lea)]);
    expect(both.filter((each) => isRefusal(each))).toMatchObject([{ refused: "conflict" }]);
    const held = both.find((each) => !isRefusal(each));
    const owner = (held as { owner: string }).owner === "lea" ? lea : max;
    const other = owner === lea ? max : lea;
    expect(await server.call("unlockPlace", { query: orders }, other)).toMatchObject({ refused: "auth.forbidden" });
    const fence = (held as { fence: number }).fence;
    const stale = await server.call("unlockPlace", { query: { ...orders, fence: fence + 7 } }, owner);
    expect(stale).toMatchObject({ refused: "lease.stale" });
    expect(await server.call("unlockPlace", { query: { ...orders, fence } }, "admin")).toEqual({ unlocked: true });
    expect(await server.call("unlockPlace", { query: orders }, owner)).toMatchObject({ refused: "not-found" });
    expect((await place.events("deployments.lock-changed")).map(({ change }) => change)).toEqual([
      "locked",
      "unlocked",
    ]);
  });

  test.each([
    [{}, "request.invalid"],
    [{ service: "billing" }, "not-found"],
    [{ environment: "moon" }, "not-found"],
  ])("of %j is refused", async (where, code) => {
    await using scene = await openScene("", 0);
    expect(await lock(scene.server, where)).toMatchObject({ refused: code });
  });
});

describe("a freeze", () => {
  const rules = "freeze: [{ name: always, from: 2020-01-01, to: 2090-01-01, reason: for ever }]";

  test("holds deployments until somebody who leads names it and says why, on record", async () => {
    await using scene = await openScene(rules);
    const { server, place } = scene;
    const id = await ask(server, 1);
    await waitOf(server, id, "the freeze always holds from 2020-01-01 00:00 to 2090-01-01 00:00 (UTC): for ever");
    const override = (freeze: string, person: Person) =>
      server.call("overrideFreeze", { params: { id }, body: { freeze, reason: "the shop is down" } }, person);
    expect(await override("always", max)).toMatchObject({ refused: "auth.forbidden" });
    expect(await override("christmas", lea)).toMatchObject({
      refused: "not-found",
      message: "test has no freeze christmas; it has always",
    });
    expect(await override("always", lea)).toMatchObject({ overrides: [{ freeze: "always", by: "lea" }] });
    expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });
    expect(await override("always", lea)).toMatchObject({ refused: "deployment.wrong-state" });
    expect(await place.events("deployments.freeze-overridden")).toMatchObject([
      { freeze: "always", reason: "the shop is down", actor: "lea", release: 1 },
    ]);
  });

  test("may be overridden with the wish itself, which then takes the one that waits already", async () => {
    await using scene = await openScene(rules);
    const { server } = scene;
    const id = await ask(server, 1);
    await waitOf(server, id, "always");
    const override = { freeze: "always", reason: "the shop is down" };
    expect(await ask(server, 1, { override })).toBe(id);
    expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });
  });
});

test("a service waits for those that go first in the environment, and goes when they have ended", async () => {
  await using scene = await openScene("services: { orders: { after: [catalog] } }");
  const { server, place } = scene;
  place.runtime.engineDown = true;
  const catalog = await server.call("createDeployment", { body: { service: "catalog", environment: "test" } }, lea);
  const id = await ask(server, 1);
  await waitOf(server, id, "catalog goes first in test: its release 1");
  place.runtime.engineDown = false;
  await server.ended((catalog as { id: string }).id);
  expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });
});

test("where promotion is automatic, a release that served before it goes on by itself, once", async () => {
  await using scene = await openScene("", 0);
  const { server, place } = scene;
  place.world.environments["production"] = "target: docker\nafter: test\nwatch: 0s\npromotion: automatic\n";
  await server.publish("orders", commitNumber(1));
  await server.deploy("orders", 1);
  await until(async () => (await place.serving("orders", "production")).releases.includes(1));
  await server.deploy("orders", 1);
  await until(async () => (await place.events("deployments.deployment-finished")).length === 3);
  const list = await server.call("listDeployments", { query: { environment: "production" } });
  expect(list).toMatchObject({ deployments: [{ release: 1, actor: null, outcome: "succeeded" }] });
});

test("the plan tells every gate, open or closed, with a reason", async () => {
  await using scene = await openScene(
    "sign-offs: [{ name: qa }, { name: acceptance }]\nfreeze: [{ from: Mon 00:00, to: Sun 23:59 }]",
  );
  const { server } = scene;
  await sign(server, 1, eve, { name: "qa" });
  expect(await sign(server, 1, eve)).toMatchObject({
    refused: "request.invalid",
    message: expect.stringContaining("qa, acceptance"),
  });
  const plan = await server.call("planDeployment", { query: { ...orders, release: "1" } });
  if (isRefusal(plan)) throw new Error(plan.message);
  expect(plan.gates.map(({ gate, open }) => [gate, open])).toEqual([
    ["after", true],
    ["sign-off", true],
    ["sign-off", false],
    ["contracts", true],
    ["freeze", expect.any(Boolean)],
    ["lock", true],
    ["order", true],
    ["turn", true],
  ]);
  expect(plan.gates.every(({ reason }) => reason.length > 5)).toBe(true);
});

describe("a variable or a secret that changed", () => {
  test("shows as pending until a deployment of the same release brings it, with a plan by name and number", async () => {
    await using scene = await openScene("variables: { LOG_LEVEL: info }", 0);
    const { server, place } = scene;
    place.world.manifests.set(commitNumber(3), "service: orders\nport: 8080\nvariables: { OWN: x }\nsecrets: [KEY]\n");
    place.world.secrets = { KEY: "first" };
    const { number } = await server.publish("orders", commitNumber(3));
    await server.deploy("orders", number);
    const pending = async () => {
      const status = await server.call("getStatus", {});
      if (isRefusal(status)) throw new Error(status.message);
      return status.services.find(({ service }) => service === "orders")?.cells[0]?.pending;
    };
    expect(await pending()).toEqual([]);
    place.world.environments["test"] = "target: docker\nwatch: 0s\nvariables: { LOG_LEVEL: debug, NEW: 1 }\n";
    place.world.secrets = { KEY: "second" };
    expect(await pending()).toEqual(["secrets.KEY", "variables.LOG_LEVEL", "variables.NEW"]);
    const plan = await server.call("planDeployment", { query: orders });
    if (isRefusal(plan)) throw new Error(plan.message);
    expect(plan.changes).toEqual([
      { path: "secrets.KEY", before: expect.stringMatching(/^\d+$/), after: expect.stringMatching(/^\d+$/) },
      { path: "variables.LOG_LEVEL", before: "set", after: "another value" },
      { path: "variables.NEW", before: null, after: "set" },
    ]);
    expect(JSON.stringify(plan)).not.toMatch(/second|debug/);
    const [read] = await place.events("deployments.secrets-read");
    expect(read).toMatchObject({ ...orders, release: number, secrets: [{ name: "KEY", version: expect.any(Number) }] });
    await server.deploy("orders", number);
    expect(await pending()).toEqual([]);
  });
});

test("an environment is told with its rules, what holds now, and every gate of what waits there", async () => {
  const rules = `variables: { LOG_LEVEL: debug }
sign-offs: [{ name: acceptance, roles: [analyst] }]
freeze: [{ name: always, from: 2020-01-01 00:00, to: 2120-01-01 00:00, zone: UTC, reason: a holiday }]`;
  await using scene = await openScene(rules, 1);
  const { server } = scene;
  const id = await ask(server, 1);
  const shown = await server.call("showEnvironment", { params: { environment: "test" } });
  expect(shown).toMatchObject({
    signOffs: [{ name: "acceptance", roles: ["analyst"], count: 1 }],
    freezes: [{ name: "always", holds: true, reason: "a holiday" }],
    variables: ["LOG_LEVEL"],
    waiting: [
      {
        deployment: { id },
        gates: expect.arrayContaining([expect.objectContaining({ gate: "sign-off", open: false })]),
      },
    ],
  });
  expect(JSON.stringify(shown)).not.toContain("debug");
  expect(await server.call("showEnvironment", { params: { environment: "nowhere" } })).toMatchObject({
    refused: "not-found",
  });
});

test("what instances were given is told by name, without a value", async () => {
  await using scene = await openScene("variables: { LOG_LEVEL: debug }", 1);
  const { server } = scene;
  const id = await ask(server, 1);
  await until(async () => (await shown(server, id)).state === "finished");
  const place = await server.call("showPlace", { params: orders });
  expect(place).toMatchObject({ release: 1, instances: [expect.stringContaining("orders-test-r1-")] });
  expect(place).toMatchObject({ variables: expect.arrayContaining([{ name: "LOG_LEVEL", from: "value" }]) });
  expect(JSON.stringify(place)).not.toContain("debug");
  const traffic = await server.call("showRolloutTraffic", { params: { id } });
  expect(traffic).toMatchObject({ sides: { fresh: { share: 1 }, old: { instances: [] } } });
});
