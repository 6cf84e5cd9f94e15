import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { orThrow } from "#api/errors.ts";
import { appendLog as append, files, finish, mustLease, push, start } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");

const read = async (server: BuildsServer, job: string, query: Record<string, number> = {}) =>
  orThrow(await server.admin.readJobLog({ params: { id: job }, query }));

async function running(place: BuildsPlace, server: BuildsServer): Promise<Assignment> {
  await push(place, server, { files: oneCommand });
  const assignment = await mustLease(server);
  await start(server, assignment);
  return assignment;
}

test("chunks join to the log, and each is taken once however often it is sent", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const assignment = await running(place, server);
  const { job } = assignment;
  expect(await append(server, assignment, { offset: 0, text: "one\n" })).toEqual({ next: 4 });
  expect(await append(server, assignment, { offset: 0, text: "one\n" })).toEqual({ next: 4 });
  expect(await append(server, assignment, { offset: 4, text: "two\n" })).toEqual({ next: 8 });
  expect(await read(server, job)).toEqual({ attempt: 1, data: "one\ntwo\n", next: 8, complete: false });
  expect(await read(server, job, { offset: 4 })).toMatchObject({ data: "two\n", next: 8 });
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  expect(await read(server, job, { offset: 8 })).toEqual({ attempt: 1, data: "", next: 8, complete: true });
  expect(await readFile(join(place.home, "logs", job, "1.log"), "utf8")).toBe("one\ntwo\n");
});

test("a gap is refused with where the log stands", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const assignment = await running(place, server);
  await append(server, assignment, { offset: 0, text: "one\n" });
  const refused = { refused: "conflict", details: { next: 4 } };
  expect(await append(server, assignment, { offset: 8, text: "x" })).toMatchObject(refused);
});

test("a part of which a killed server wrote some bytes is taken only as far as it is new", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const assignment = await running(place, server);
  const { job } = assignment;
  await append(server, assignment, { offset: 0, text: "one\n" });
  const file = join(place.home, "logs", job, "1.log");
  await appendFile(file, "tw");
  await append(server, assignment, { offset: 4, text: "two\n" });
  expect((await read(server, job)).data).toBe("one\ntwo\n");
});

test("who follows a log gets what comes as it comes, and never half a character", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const assignment = await running(place, server);
  const euro = Buffer.from("5 €\n");
  const waiting = read(server, assignment.job, { waitMs: 20_000 });
  await append(server, assignment, { offset: 0, text: euro.subarray(0, 4) });
  const first = await waiting;
  expect(first).toMatchObject({ data: "5 ", next: 2 });
  const more = read(server, assignment.job, { waitMs: 20_000, offset: first.next });
  await append(server, assignment, { offset: 4, text: euro.subarray(4) });
  expect(await more).toMatchObject({ data: "€\n", next: 6, complete: false });
  const end = read(server, assignment.job, { waitMs: 20_000, offset: 6 });
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  expect(await end).toEqual({ attempt: 1, data: "", next: 6, complete: true });
});

test("a log over its limit is cut with a word, and the job goes on", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server({ logLimit: 10 });
  const assignment = await running(place, server);
  await append(server, assignment, { offset: 0, text: "12345678" });
  await append(server, assignment, { offset: 8, text: "9012345" });
  expect(await append(server, assignment, { offset: 15, text: "more" })).toEqual({ next: 19 });
  const { data } = await read(server, assignment.job);
  expect(data).toMatch(/^1234567890\n\[towline] The log is cut here.*\n$/);
});

test("each attempt has a log of its own", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const first = await running(place, server);
  await append(server, first, { offset: 0, text: "first" });
  await finish(server, first, { outcome: "failed", exitStatus: 1 });
  orThrow(await server.admin.retryBuild({ params: { id: first.build.id } }));
  const second = await mustLease(server);
  await append(server, second, { offset: 0, text: "second" });
  expect(await read(server, first.job)).toMatchObject({ attempt: 2, data: "second", complete: false });
  expect(await read(server, first.job, { attempt: 1 })).toMatchObject({ attempt: 1, data: "first", complete: true });
  expect(await server.admin.readJobLog({ params: { id: first.job }, query: { attempt: 3 } })).toMatchObject({
    refused: "not-found",
  });
});

test("a log whose file is gone ends, and holds nobody up", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const assignment = await running(place, server);
  await append(server, assignment, { offset: 0, text: "one\n" });
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  await rm(join(place.home, "logs"), { recursive: true });
  expect(await read(server, assignment.job, { waitMs: 20_000 })).toMatchObject({ data: "", complete: true });
});

test("a job that never ran has an empty log that is complete", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id, steps } = await push(place, server, { files: oneCommand });
  const job = steps[0]?.job ?? "";
  expect(await read(server, job)).toEqual({ attempt: 0, data: "", next: 0, complete: false });
  orThrow(await server.admin.cancelBuild({ params: { id } }));
  expect(await read(server, job)).toMatchObject({ complete: true });
});
