/** Several services in one repository. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BuildDetails, BuildSummary } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { deployed, lease, published, push, show, standing, work } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

let place: BuildsPlace;
let server: BuildsServer;
beforeEach(async () => {
  place = await openBuildsPlace();
  server = await place.server();
});
afterEach(() => place?.[Symbol.asyncDispose]());

const service = (name: string, more = "") => `service: ${name}\nhttp: { port: 8080 }\n${more}`;
const oneCommand = "steps: [{ command: make, key: unit }]";

/** Two services that share a library. */
const shop = {
  "README.md": "v1",
  "libs/money/round.ts": "v1",
  "services/catalog/towline.yml": service("catalog", "shared: [libs/money]\n"),
  "services/catalog/.towline/pipeline.yml": oneCommand,
  "services/catalog/src/app.ts": "v1",
  "services/orders/towline.yml": service("orders", 'shared: ["libs/**"]\n'),
  "services/orders/.towline/pipeline.yml": oneCommand,
  "services/orders/src/app.ts": "v1",
};

const repository = "shop";

/** Builds of a commit but that of the repository, once each of its services has what it gets. */
async function childrenOf(parent: BuildDetails): Promise<BuildSummary[]> {
  const { commit } = parent;
  const wanted = parent.steps.filter(({ kind, outcome }) => kind === "trigger" && outcome !== "skipped").length;
  let children: BuildSummary[] = [];
  await until(async () => {
    const { builds } = orThrow(await server.admin.listBuilds({ query: { repository, commit } }));
    children = builds.filter(({ folder }) => folder !== "");
    return children.length === wanted && children.every(({ state }) => state !== "preparing");
  });
  return children.toSorted((a, b) => a.folder.localeCompare(b.folder));
}

/** Pushes, and lets every build of a service come to its end. */
async function pushAndPass(files: Record<string, string>, branch = "main") {
  const parent = await push(place, server, { repository, branch, files });
  const children = await childrenOf(parent);
  for (const _ of children) await work(server);
  await until(async () => (await show(server, parent.id)).state === "finished");
  return { parent: await show(server, parent.id), children };
}

const named = (builds: readonly BuildSummary[]) => builds.map((each) => each.service);

test("a push builds the services whose files changed, and says why the others need no build", async () => {
  const first = await pushAndPass(shop);
  expect(named(first.children)).toEqual(["catalog", "orders"]);
  const second = await pushAndPass({ ...shop, "services/orders/src/app.ts": "v2" });
  expect(named(second.children)).toEqual(["orders"]);
  expect(standing(second.parent)).toBe("service:catalog skipped, service:orders passed");
  expect(second.parent.steps[0]?.reason).toBe("nothing of this service changed: services/catalog/, libs/money");
  expect(second.children[0]).toMatchObject({ folder: "services/orders", source: "push", number: 5 });
});

test("what only a shared library changes builds all services that it belongs to; other files build none", async () => {
  const third = { "tools/only/towline.yml": service("only"), "tools/only/.towline/pipeline.yml": oneCommand };
  await pushAndPass({ ...shop, ...third });
  const library = await pushAndPass({ ...shop, ...third, "libs/money/round.ts": "v2" });
  expect(named(library.children)).toEqual(["catalog", "orders"]);
  const readme = { ...shop, ...third, "libs/money/round.ts": "v2", "README.md": "v2" };
  const { parent, children } = await pushAndPass(readme);
  expect(children).toEqual([]);
  expect(parent).toMatchObject({ state: "finished", outcome: "passed" });
});

test("a service whose build failed is built by the next push, whatever that changes", async () => {
  await pushAndPass(shop);
  const broken = { ...shop, "services/catalog/src/app.ts": "broken" };
  const failing = await push(place, server, { repository, files: broken });
  await childrenOf(failing);
  await work(server, { outcome: "failed", exitStatus: 1 });
  const next = await pushAndPass({ ...broken, "services/orders/src/app.ts": "v2" });
  expect(named(next.children)).toEqual(["catalog", "orders"]);
});

test("a branch is compared with where it left the default branch, and each service of it has a check", async () => {
  await pushAndPass(shop);
  place.pullRequests.set(`${repository}:topic`, 3);
  const parent = await push(place, server, {
    ...{ repository, branch: "topic" },
    files: { ...shop, "services/orders/src/app.ts": "v2" },
  });
  const [orders] = await childrenOf(parent);
  expect(orders).toMatchObject({ service: "orders", source: "pull-request", pullRequest: 3, branch: "topic" });
  expect((await show(server, parent.id)).state).toBe("running");
  await work(server, { outcome: "failed", exitStatus: 1 });
  await until(async () => (await show(server, parent.id)).state === "finished");
  const checks = (await place.events("builds.service-checked")).filter(({ build }) => build === parent.id);
  expect(checks.map(({ of, outcome, reason }) => [of.service, of.number, outcome, reason])).toEqual([
    ["catalog", parent.number, "passed", "nothing of this service changed: services/catalog/, libs/money"],
    ["orders", parent.number, undefined, undefined],
    ["orders", orders?.number, undefined, undefined],
  ]);
  const ends = (await place.events("builds.build-finished")).filter(({ commit }) => commit === parent.commit);
  expect(ends).toMatchObject([
    { number: orders?.number, folder: "services/orders", outcome: "failed" },
    { number: parent.number, outcome: "failed", ofServices: true },
  ]);
});

test("a newer push of a branch takes the place of the older one's builds", async () => {
  await pushAndPass(shop);
  const files = { ...shop, "services/orders/src/app.ts": "v2" };
  const older = await push(place, server, { repository, branch: "topic", files });
  const [child] = await childrenOf(older);
  const newer = await push(place, server, { repository, branch: "topic", files: { ...files, "README.md": "v2" } });
  await until(async () => (await show(server, child?.id ?? "")).state === "finished");
  expect(await show(server, child?.id ?? "")).toMatchObject({ outcome: "canceled", supersededBy: newer.number });
  await childrenOf(newer);
  await work(server);
});

test("each service has its own pipeline, paths from its folder on, image and deployments", async () => {
  const pipeline = `
steps:
  - { command: npm test, key: unit, artifact_paths: "dist/*;out", cache: { paths: [node_modules], key: 'n-{{ checksum "package-lock.json" }}' } }
  - wait
  - publish: .
  - deploy: test
`;
  const files = {
    ...shop,
    "services/orders/.towline/pipeline.yml": pipeline,
    "services/catalog/.towline/pipeline.yml": "steps: [{ publish: / }]",
  };
  const parent = await push(place, server, { repository, files });
  const [catalog, orders] = await childrenOf(parent);
  const given = [await work(server, published), await work(server, published), await work(server, published)];
  const image = given.find(({ build }) => build.id === catalog?.id);
  expect(image?.work).toMatchObject({ service: "catalog", context: ".", dockerfile: "services/catalog/Dockerfile" });
  const [unit, other] = given.filter(({ build }) => build.id === orders?.id);
  expect(unit).toMatchObject({
    folder: "services/orders",
    artifactPaths: ["services/orders/dist/*", "services/orders/out"],
    cache: { paths: ["services/orders/node_modules"], key: 'n-{{ checksum "services/orders/package-lock.json" }}' },
    env: { TOWLINE_SERVICE: "orders", TOWLINE_FOLDER: "services/orders" },
  });
  expect(other?.work).toMatchObject({ service: "orders", context: "services/orders" });
  expect(await deployed(place, server, "succeeded")).toBe("test");
  const [request] = (await place.events("builds.deploy-requested")).slice(-1);
  expect(request).toMatchObject({ service: "orders", build: orders?.id, folder: "services/orders" });
});

test("`if_changed` of a service sees its own paths, and with a slash in front those of the repository", async () => {
  const pipeline = `
steps:
  - { command: a, key: own, if_changed: "src/**" }
  - { command: b, key: shared, if_changed: "/libs/**" }
`;
  const files = { ...shop, "services/orders/.towline/pipeline.yml": pipeline };
  const { children } = await pushOnly(files);
  await work(server);
  await work(server);
  await work(server);
  expect(children).toHaveLength(2);
  const parent = await push(place, server, { repository, files: { ...files, "libs/money/round.ts": "v2" } });
  const builds = await childrenOf(parent);
  expect(standing(await show(server, builds[1]?.id ?? ""))).toBe("own skipped, shared runnable");
  await work(server);
  await work(server);
});

async function pushOnly(files: Record<string, string>) {
  const parent = await push(place, server, { repository, files });
  return { parent, children: await childrenOf(parent) };
}

test("a pipeline for the whole repository stands beside its services", async () => {
  const files = { ...shop, ".towline/pipeline.yml": "steps: [{ command: lint, key: lint }]" };
  const { parent } = await pushOnly(files);
  expect(parent.steps.map(({ key }) => key)).toEqual(["lint", "service:catalog", "service:orders"]);
  for (const _ of [1, 2, 3]) await work(server);
  await until(async () => (await show(server, parent.id)).outcome === "passed");
});

test("a manifest at the root makes the whole repository one service, as ever", async () => {
  const files = { ...shop, "towline.yml": service("whole"), ".towline/pipeline.yml": oneCommand };
  const build = await push(place, server, { repository, files });
  expect(build).toMatchObject({ service: "whole", folder: "" });
  expect(standing(build)).toBe("unit runnable");
  await work(server);
  expect(orThrow(await server.admin.listBuilds({ query: { repository } })).builds).toHaveLength(1);
});

test("two services of one name and a service within another fail with the reason; the rest is built", async () => {
  const files = {
    ...shop,
    "services/twin/towline.yml": service("orders"),
    "services/catalog/fixtures/towline.yml": service("inner"),
  };
  const { children } = await pushOnly(files);
  const faults = new Map<string, string | undefined>();
  for (const { id, folder } of children) faults.set(folder, (await show(server, id)).fault?.faults[0]?.code);
  expect(Object.fromEntries(faults)).toEqual({
    "services/catalog": undefined,
    "services/catalog/fixtures": "manifest.nested",
    "services/orders": "manifest.duplicate-service",
    "services/twin": "manifest.duplicate-service",
  });
  const twin = children.find(({ folder }) => folder === "services/twin");
  expect((await show(server, twin?.id ?? "")).fault).toMatchObject({
    code: "manifest.invalid",
    place: { file: "services/twin/towline.yml", line: 1 },
    message: "the service orders is also described by services/orders/towline.yml",
  });
  await work(server);
});

test("a folder that is gone has no build and no check any more; one that moved is built at its new place", async () => {
  await pushAndPass(shop);
  const left = Object.entries(shop).filter(([path]) => !path.startsWith("services/orders"));
  const gone = await pushAndPass(Object.fromEntries(left));
  expect(gone.parent.steps.map(({ key }) => key)).toEqual(["service:catalog"]);
  const moved = Object.entries(shop).map(([path, text]) => [path.replace("services/catalog", "apps/catalog"), text]);
  const { children } = await pushAndPass(Object.fromEntries(moved) as Record<string, string>);
  // What came back as it was when it was last built needs no other build.
  expect(children.map(({ folder }) => folder)).toEqual(["apps/catalog"]);
});

test("who asks for a build names the service, where there are several", async () => {
  place.commit(repository, "main", shop);
  expect(await server.admin.createBuild({ body: { repository } })).toMatchObject({
    refused: "service.not-named",
    message: `${repository} has several services: catalog, orders`,
    fix: "Name one: `--service catalog`.",
  });
  expect(await server.admin.createBuild({ body: { repository, service: "carts" } })).toMatchObject({
    refused: "not-found",
    message: expect.stringContaining("it has catalog, orders"),
  });
  const made = orThrow(await server.admin.createBuild({ body: { repository, service: "orders" } }));
  expect(made).toMatchObject({ service: "orders", folder: "services/orders", source: "api" });
  await work(server);
  const { builds } = orThrow(await server.admin.listBuilds({ query: { repository, service: "catalog" } }));
  expect(builds).toEqual([]);
});

test("a trigger step names a service of another repository, or has all of them built and waits for them", async () => {
  place.commit(repository, "main", shop);
  const pipeline = `steps: [{ trigger: ${repository}/orders, key: one }, { trigger: ${repository}, key: all }]`;
  const files = { "towline.yml": service("starter"), ".towline/pipeline.yml": pipeline };
  const build = await push(place, server, { repository: "starter", files });
  await until(async () => orThrow(await server.admin.listBuilds({ query: { repository } })).builds.length === 4);
  const { builds } = orThrow(await server.admin.listBuilds({ query: { repository } }));
  expect(builds.filter(({ folder }) => folder !== "").map((each) => each.service)).toEqual(
    expect.arrayContaining(["orders", "orders", "catalog"]),
  );
  for (const _ of [1, 2, 3]) await work(server);
  await until(async () => (await show(server, build.id)).outcome === "passed");
});

test("a retry of the repository's build builds the services that failed anew", async () => {
  await pushAndPass(shop);
  const parent = await push(place, server, {
    ...{ repository, branch: "topic" },
    files: { ...shop, "services/orders/src/app.ts": "v2" },
  });
  await childrenOf(parent);
  await work(server, { outcome: "failed", exitStatus: 1 });
  await until(async () => (await show(server, parent.id)).outcome === "failed");
  orThrow(await server.admin.retryBuild({ params: { id: parent.id }, body: {} }));
  await work(server);
  await until(async () => (await show(server, parent.id)).outcome === "passed");
  expect(await lease(server)).toBeNull();
});

test("jobs get the secrets of their own service, and push no image under the name of one that lives elsewhere", async () => {
  const asked: (string | null)[] = [];
  await using strict = await openBuildsPlace();
  const other = await strict.server({
    fleet: {
      jobSecrets: async (_, name) => (asked.push(name), {}),
      service: async (name) =>
        name === "orders"
          ? {
              ...{ name, repository: "elsewhere", folder: "", owner: null, commit: "", gone_at: null },
              manifest: {} as never,
            }
          : undefined,
    },
  });
  const files = { ...shop, "services/orders/.towline/pipeline.yml": "steps: [{ publish: . }]" };
  const parent = await push(strict, other, { repository: "shop", files });
  await until(async () => {
    const { builds } = orThrow(await other.admin.listBuilds({ query: { commit: parent.commit } }));
    return builds.length === 3 && builds.every(({ state }) => state !== "preparing");
  });
  const { builds } = orThrow(await other.admin.listBuilds({ query: { service: "orders" } }));
  const given: (string | undefined)[] = [];
  await until(async () => {
    const assignment = await lease(other);
    if (assignment) given.push(assignment.env["TOWLINE_SERVICE"]);
    return given.length > 0 && (await show(other, builds[0]?.id ?? "")).state === "finished";
  });
  expect([given, asked.toSorted()]).toEqual([["catalog"], ["catalog", "orders"]]);
  expect((await show(other, builds[0]?.id ?? "")).steps[0]?.reason).toContain("belongs to the repository elsewhere");
});
