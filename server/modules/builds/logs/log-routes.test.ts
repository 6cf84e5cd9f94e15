import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { orThrow } from "#api/errors.ts";
import { appendLog, files, finish, mustLease, push, start } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";

let place: BuildsPlace;
let server: BuildsServer;
let job: Assignment;

interface Search {
  text: string;
  regex?: boolean;
  exact?: boolean;
  limit?: number;
  from?: number;
}

const began = Date.parse("2026-01-05T12:00:00.000Z");
const text = [
  "--- :node: install",
  "added 7 packages",
  "+++ tests",
  "\u001b[31m✗ Größe stimmt\u001b[0m",
  ...Array.from({ length: 5_000 }, (_, line) => `line ${line} of the tests`),
  "~~~ clean up",
  "a".repeat(60),
  "done",
].join("\n");

beforeAll(async () => {
  place = await openBuildsPlace();
  server = await place.server();
  await push(place, server, { files: files("steps:\n  - { key: unit, command: test }\n") });
  job = await mustLease(server);
  await start(server, job);
  // The second line came a second after the first.
  const times = `0:${began},19:1000`;
  orThrow(await appendLog(server, job, { offset: 0, text, times }));
});

afterAll(() => place?.[Symbol.asyncDispose]());

const lines = async (query: Record<string, number>) =>
  orThrow(await server.admin.readJobLogLines({ params: { id: job.job }, query }));
const search = ({ regex = false, exact = false, ...query }: Search) =>
  server.admin.searchJobLog({
    params: { id: job.job },
    query: { ...query, regex: String(regex), case: String(exact) },
  });
const raw = (range?: string, token = "") =>
  fetch(`${server.url}/api/jobs/${job.job}/log/raw`, {
    headers: { authorization: `Bearer ${token || place.adminToken()}`, ...(range ? { range } : {}) },
  });

test("lines are read by their numbers, with times, page after page, to the end", async () => {
  const first = await lines({ limit: 2 });
  expect(first).toMatchObject({ attempt: 1, complete: false, total: 5_007, next: 3 });
  expect(first.lines).toEqual([
    { number: 1, offset: 0, at: "2026-01-05T12:00:00.000Z", text: "--- :node: install", cut: false },
    { number: 2, offset: 19, at: "2026-01-05T12:00:01.000Z", text: "added 7 packages", cut: false },
  ]);
  expect((await lines({ from: 4_000, limit: 1 })).lines).toMatchObject([{ text: "line 3995 of the tests" }]);
  expect(await lines({ from: 5_007 })).toMatchObject({ lines: [{ text: "done" }], next: null });
  expect(await lines({ from: 9_999 })).toMatchObject({ lines: [], next: null });
});

test("the tail of a log is its last lines", async () => {
  expect((await lines({ tail: 2 })).lines.map((line) => line.text)).toEqual(["a".repeat(60), "done"]);
});

test("groups have a title, their place and length, and are open where the job says so", async () => {
  const { groups } = orThrow(await server.admin.listJobLogGroups({ params: { id: job.job } }));
  expect(groups).toMatchObject([
    { kind: "---", title: ":node: install", line: 1, lines: 2, open: false },
    { kind: "+++", title: "tests", line: 3, lines: 5_002, open: true },
    { kind: "~~~", title: "clean up", line: 5_005, lines: 3, open: false },
  ]);
});

test("a search finds lines by text in any case, by pattern, and goes on where it was left", async () => {
  expect(await search({ text: "GRÖSSE" })).toMatchObject({ matches: [], next: null });
  expect(await search({ text: "größe" })).toMatchObject({ matches: [{ line: 4, from: 7 }], next: null });
  expect(await search({ text: "größe", exact: true })).toMatchObject({ matches: [] });
  const first = orThrow(await search({ text: "line \\d*7\\b", regex: true, limit: 2 }));
  expect(first.matches.map(({ line }) => line)).toEqual([12, 22]);
  const more = orThrow(await search({ text: "line \\d*7\\b", regex: true, limit: 1, from: first.next ?? 0 }));
  expect(more.matches).toMatchObject([{ line: 32, at: "2026-01-05T12:00:01.000Z" }]);
});

test("what is no pattern, or a pattern that never ends, is refused and holds nobody up", async () => {
  expect(await search({ text: "(", regex: true })).toMatchObject({ refused: "log.bad-pattern" });
  expect(await search({ text: "a\nb" })).toMatchObject({ refused: "log.bad-pattern" });
  let ended = false;
  const slow = search({ text: "^(([a-z 0-9])+.)+!$", regex: true }).finally(() => (ended = true));
  await lines({ limit: 1 });
  expect(ended).toBe(false);
  expect(await slow).toMatchObject({ refused: "log.search-too-slow" });
});

test("the bytes are downloaded whole or in ranges, never as a page", async () => {
  const whole = await raw();
  expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  expect(await whole.text()).toBe(text);
  const part = await raw("bytes=4-8");
  expect([part.status, await part.text()]).toEqual([206, ":node"]);
  const size = Buffer.byteLength(text);
  expect(part.headers.get("content-range")).toBe(`bytes 4-8/${size}`);
  expect(await (await raw("bytes=-4")).text()).toBe("done");
  expect((await raw(`bytes=${size}-`)).status).toBe(416);
  expect((await raw(undefined, "wrong")).status).toBe(401);
});

test("a job that never began has no lines, groups or finds", async () => {
  const { steps } = await push(place, server, { files: files("steps:\n  - { key: late, command: test }\n") });
  const params = { id: steps[0]?.job ?? "" };
  expect(await server.admin.readJobLogLines({ params })).toMatchObject({ attempt: 0, total: 0, lines: [] });
  expect(await server.admin.listJobLogGroups({ params })).toMatchObject({ groups: [] });
  expect(await server.admin.searchJobLog({ params, query: { text: "x" } })).toMatchObject({ matches: [] });
  expect(await server.admin.searchJobLog({ params: { id: crypto.randomUUID() }, query: { text: "x" } })).toMatchObject({
    refused: "not-found",
  });
});

test("who knows how many bytes there are is answered when there are more, and not before the time is over", async () => {
  const { size } = await lines({ tail: 1 });
  const longer = lines({ tail: 1, beyond: size, waitMs: 30_000 });
  const more = "\nafter some time";
  orThrow(await appendLog(server, job, { offset: size, text: more, times: "0:1" }));
  expect(await longer).toMatchObject({ size: size + more.length, lines: [{ text: "after some time" }] });
  expect(await lines({ beyond: size + more.length, waitMs: 20, limit: 1 })).toMatchObject({ size: size + more.length });
});

test("at its end a log is complete", async () => {
  await finish(server, job, { outcome: "passed", exitStatus: 0 });
  expect(await lines({ tail: 1 })).toMatchObject({ complete: true, lines: [{ text: "after some time" }] });
});
