import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { BuildSummary } from "#api/endpoints/builds.ts";
import { files, lease, mustLease, push, show } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";
import { signatureOf } from "./signature.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");

async function builds(server: BuildsServer): Promise<BuildSummary[]> {
  return orThrow(await server.admin.listBuilds({})).builds;
}

async function pushTag(place: BuildsPlace, server: BuildsServer, tag: string, after: string): Promise<void> {
  const change = { repository: "orders", ref: `refs/tags/${tag}`, after, actor: "ada" };
  await place.database.db.transaction().execute((tx) => server.emit(tx, "r", "source.ref-changed", change));
  await until(async () => (await place.undelivered()) === 0 && (await place.openTasks()) === 0);
}

test("of many tags that come at once the first ones are built, and later ones again after a while", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const commit = place.commit("orders", "main", files("steps: [{ command: make }]"));
  const built = async () => {
    await until(async () => (await place.undelivered()) === 0 && (await place.openTasks()) === 0);
    return orThrow(await server.admin.listBuilds({ query: { repository: "orders", limit: 200 } })).builds.length;
  };
  await Promise.all(Array.from({ length: 60 }, (_, index) => pushTag(place, server, `v${index}`, commit)));
  expect(await built()).toBe(20);
  clock.advance(11 * 60 * 1000);
  await pushTag(place, server, "v60", commit);
  expect(await built()).toBe(21);
});

test("a tag is built once for its commit, knows its name, and deploys nothing", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `steps:
  - { key: unit, command: test }
  - { key: tagged, command: release, if: build.tag =~ /^v/ }
  - publish: .
  - deploy: test
`;
  const commit = place.commit("orders", "main", files(pipeline));
  await pushTag(place, server, "v1.0", commit);
  await pushTag(place, server, "v1.0", commit);
  const [build, ...others] = await builds(server);
  expect(others).toEqual([]);
  expect(build).toMatchObject({ tag: "v1.0", branch: "v1.0", commit, source: "push", creator: "ada" });
  const { steps } = await show(server, build?.id ?? "");
  expect(steps.map(({ key, outcome }) => [key, outcome])).toEqual([
    ["unit", null],
    ["tagged", null],
    ["publish", null],
    ["deploy-test", "skipped"],
  ]);
  const { env } = await mustLease(server);
  expect(env).toMatchObject({ BUILDKITE_TAG: "v1.0", TOWLINE_TAG: "v1.0", BUILDKITE_BRANCH: "v1.0" });
});

test("a push to the branch of an open pull request is a build of it", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.pullRequests.set("orders:topic", 7);
  const build = await push(place, server, { branch: "topic", files: oneCommand });
  expect(build).toMatchObject({ source: "pull-request", pullRequest: 7 });
  const { env } = await mustLease(server);
  expect(env).toMatchObject({ BUILDKITE_PULL_REQUEST: "7", BUILDKITE_PULL_REQUEST_BASE_BRANCH: "main" });
});

test("a push cancels older pushes to its branch, and never what a person asked for", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pushed = await push(place, server, { branch: "topic", files: oneCommand });
  const asked = orThrow(await server.admin.createBuild({ body: { repository: "orders", branch: "topic" } }));
  const newer = await push(place, server, { branch: "topic", files: oneCommand });
  expect((await show(server, pushed.id)).supersededBy).toBe(newer.number);
  expect((await show(server, asked.id)).state).not.toBe("finished");
});

test("a build is made with a message and variables, which the pipeline file may override", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = "env: { B: file }\nsteps:\n  - { key: unit, command: test, if: build.env('NIGHTLY') == '1' }\n";
  place.commit("orders", "main", files(pipeline));
  const body = { repository: "orders", message: "by hand", env: { NIGHTLY: "1", B: "given", C: "given" } };
  const { id } = orThrow(await server.admin.createBuild({ body }));
  const { env } = await mustLease(server);
  expect(env).toMatchObject({ NIGHTLY: "1", B: "file", C: "given", BUILDKITE_MESSAGE: "by hand" });
  expect(await show(server, id)).toMatchObject({ message: "by hand", author: "Ada" });
  const bad = await server.admin.createBuild({ body: { repository: "orders", env: { "no name": "1" } } });
  expect(bad).toMatchObject({ refused: "request.invalid" });
});

test("a schedule builds its branch when it is due, once, with its variables", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const commit = place.commit("orders", "main", oneCommand);
  const body = {
    repository: "orders",
    name: "hourly",
    cron: "30 * * * *",
    zone: "Europe/Berlin",
    env: { NIGHTLY: "1" },
  };
  expect(orThrow(await server.admin.createSchedule({ body }))).toMatchObject({
    ...{ branch: "main", creator: "admin", nextAt: "2026-01-05T12:30:00.000Z", last: null },
  });
  await server.passTime(29 * 60_000);
  expect(await builds(server)).toEqual([]);
  await server.passTime(61_000);
  await server.passTime(1_000);
  const [build, ...others] = await builds(server);
  expect(others).toEqual([]);
  expect(build).toMatchObject({ source: "schedule", commit, message: "schedule hourly", creator: "admin" });
  expect((await mustLease(server)).env).toMatchObject({ NIGHTLY: "1", BUILDKITE_SOURCE: "schedule" });
  const { schedules } = orThrow(await server.admin.listSchedules({}));
  expect(schedules).toMatchObject([{ nextAt: "2026-01-05T13:30:00.000Z", last: { build: 1, error: null } }]);
});

test("runs that were missed while no server ran are made up for by one, which says so", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  place.commit("orders", "main", oneCommand);
  const body = { repository: "orders", name: "hourly", cron: "@hourly" };
  orThrow(await server.admin.createSchedule({ body }));
  await server.passTime(5 * 3_600_000 + 60_000);
  await server.passTime(1_000);
  const made = await builds(server);
  expect(made.map(({ message }) => message)).toEqual([
    "schedule hourly: one run for 5 that were missed since 2026-01-05T13:00:00.000Z",
  ]);
});

test("a schedule whose branch is gone says so and stays", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  place.commit("orders", "main", oneCommand);
  const body = { repository: "orders", name: "hourly", cron: "@hourly", branch: "topic" };
  expect(await server.admin.createSchedule({ body })).toMatchObject({ refused: "not-found" });
  place.commit("orders", "topic", oneCommand);
  orThrow(await server.admin.createSchedule({ body }));
  place.removeBranch("orders", "topic");
  await server.passTime(3_600_000);
  expect(orThrow(await server.admin.listSchedules({ query: { repository: "orders" } })).schedules).toMatchObject([
    { nextAt: "2026-01-05T14:00:00.000Z", last: { build: null, error: "orders has no branch topic" } },
  ]);
  const key = { repository: "orders", name: "hourly" };
  expect(await server.admin.removeSchedule({ query: key })).toEqual({ removed: true });
  expect(await server.admin.removeSchedule({ query: key })).toMatchObject({ refused: "not-found" });
  expect((await place.events("builds.trigger-changed")).map(({ change }) => change)).toEqual(["set", "removed"]);
});

async function call(server: BuildsServer, body: string, signature: string): Promise<{ status: number; code?: string }> {
  const headers = { "content-type": "application/json", "x-hub-signature-256": signature };
  const answer = await fetch(`${server.url}/hooks/orders`, { method: "POST", headers, body });
  const { error } = (await answer.json()) as { error?: { code: string } };
  return { status: answer.status, ...(error ? { code: error.code } : {}) };
}

test("a signed call starts a build; a wrong, an old and a repeated one does not", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const commit = place.commit("orders", "main", oneCommand);
  const body = (at: Date, more = {}) => JSON.stringify({ at: at.toISOString(), branch: "main", ...more });
  const now = body(clock.now(), { env: { FROM: "outside" } });
  expect(await call(server, now, "sha256=00")).toEqual({ status: 403, code: "webhook.bad-signature" });
  const { secret, path } = orThrow(await server.admin.createWebhook({ body: { repository: "orders" } }));
  expect(path).toBe("/hooks/orders");
  const sign = (text: string) => signatureOf(secret, Buffer.from(text));
  expect(await call(server, now, sign(`${now} `))).toEqual({ status: 403, code: "webhook.bad-signature" });
  expect(await call(server, now, sign(now))).toEqual({ status: 202 });
  expect(await call(server, now, sign(now))).toEqual({ status: 409, code: "webhook.replayed" });
  const old = body(new Date(clock.now().getTime() - 301_000));
  expect(await call(server, old, sign(old))).toEqual({ status: 409, code: "webhook.replayed" });
  const odd = body(clock.now(), { branch: "--upload-pack=x" });
  expect(await call(server, odd, sign(odd))).toEqual({ status: 400, code: "request.invalid" });
  const unknown = body(clock.now(), { branch: "none" });
  expect(await call(server, unknown, sign(unknown))).toEqual({ status: 404, code: "not-found" });
  expect(await builds(server)).toMatchObject([{ source: "webhook", commit, creator: "admin" }]);
  expect((await lease(server, { waitMs: 30_000 }))?.env).toMatchObject({
    FROM: "outside",
    BUILDKITE_SOURCE: "webhook",
  });
});

test("a new secret ends the earlier one, and a removed webhook takes no call", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  place.commit("orders", "main", oneCommand);
  const request = { body: { repository: "orders" } };
  const first = orThrow(await server.admin.createWebhook(request));
  const second = orThrow(await server.admin.createWebhook(request));
  const body = JSON.stringify({ at: clock.now().toISOString() });
  const sign = (secret: string) => signatureOf(secret, Buffer.from(body));
  expect((await call(server, body, sign(first.secret))).status).toBe(403);
  expect(orThrow(await server.admin.listWebhooks({})).webhooks).toMatchObject([{ repository: "orders" }]);
  orThrow(await server.admin.removeWebhook({ query: { repository: "orders" } }));
  expect((await call(server, body, sign(second.secret))).status).toBe(403);
  const developer = await server.as("developer");
  expect(await developer.createWebhook(request)).toMatchObject({ refused: "auth.forbidden" });
});
