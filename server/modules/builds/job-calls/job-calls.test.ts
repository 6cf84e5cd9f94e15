import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { files, finish, mustLease, push, start, work } from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";

const twoSteps = "steps:\n  - command: one\n    key: one\n  - wait\n  - command: two\n    key: two\n";

test("what one job sets, a later one of the build reads; the last word counts", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await push(place, server, { files: files(twoSteps) });
  const first = await mustLease(server);
  await start(server, first);
  const one = server.job(first);
  for (const value of ["1.0", "1.1 ✓\nline"]) orThrow(await one.setMetaData({ body: { key: "release", value } }));
  orThrow(await one.setMetaData({ body: { key: "a b/c", value: "" } }));
  await finish(server, first, { outcome: "passed", exitStatus: 0 });
  const two = server.job(await mustLease(server));
  expect(await two.getMetaData({ query: { key: "release" } })).toEqual({ value: "1.1 ✓\nline" });
  expect(await two.getMetaData({ query: { key: "a b/c" } })).toEqual({ value: "" });
  expect(await two.getMetaData({ query: { key: "other" } })).toEqual({ value: null });
  expect(await two.listMetaDataKeys({ query: {} })).toEqual({ keys: ["a b/c", "release"] });
});

test("a job's token is of no use once its attempt has ended, and to nobody else", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const build = await push(place, server, { files: files("steps:\n  - command: one\n") });
  const entry = { body: { key: "k", value: "v" } };
  const ended = await work(server, { outcome: "failed", exitStatus: 1 });
  expect(await server.job(ended).setMetaData(entry)).toMatchObject({ refused: "lease.stale" });
  orThrow(await server.admin.retryBuild({ params: { id: build.id } }));
  const again = await mustLease(server);
  expect(await server.job(ended).setMetaData(entry)).toMatchObject({ refused: "lease.stale" });
  expect(await server.job(again).setMetaData(entry)).toEqual({});
  for (const other of [server.admin, server.agent])
    expect(await other.setMetaData(entry)).toMatchObject({ refused: "auth.forbidden" });
  expect(await server.job(again).listBuilds({ query: {} })).toMatchObject({ refused: "auth.forbidden" });
});

test("a job reads other builds of its repository, and no other repository's", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const one = files("steps:\n  - command: one\n");
  const before = await push(place, server, { files: one });
  const first = await mustLease(server);
  orThrow(await server.job(first).setMetaData({ body: { key: "k", value: "of before" } }));
  await push(place, server, { files: one });
  const same = server.job(await mustLease(server));
  expect(await same.getMetaData({ query: { key: "k", build: before.id } })).toEqual({ value: "of before" });
  await push(place, server, { repository: "billing", files: one });
  const foreign = server.job(await mustLease(server));
  expect(await foreign.getMetaData({ query: { key: "k", build: before.id } })).toMatchObject({ refused: "not-found" });
});

test("what is refused is not kept", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await push(place, server, { files: files("steps:\n  - command: one\n") });
  const job = server.job(await mustLease(server));
  const answer = await job.setMetaData({ body: { key: "k", value: "ä".repeat(51_201) } });
  expect(answer).toMatchObject({ refused: "meta-data.invalid" });
  expect(await job.listMetaDataKeys({ query: {} })).toEqual({ keys: [] });
});
