import { expect, test } from "vitest";
import { type Row, stationsOf } from "./stations.ts";

const build = {
  number: 9,
  branch: "main",
  commit: "b",
  state: "finished",
  outcome: "passed",
  createdAt: "t",
  finishedAt: "t",
  tag: null,
} as const;
const release = { number: 5, commit: "b", createdAt: "t", pullRequest: null };
const cellOf = (environment: string, more: object) => ({
  environment,
  release: 5,
  healthy: true,
  running: null,
  waiting: [],
  ...more,
});
const rowOf = (...cells: object[]) => ({ service: "shop", cells }) as unknown as Row;
const words = (facts: Partial<Parameters<typeof stationsOf>[0]>) =>
  stationsOf({
    ...{ row: rowOf(cellOf("test", {}), cellOf("production", {})), environments: ["test", "production"] },
    ...{ branch: "main", head: "b", builds: [build], releases: [release], ...facts },
  }).map((each) => each.words);

test("what is everywhere is told as the newest at each station", () => {
  expect(words({})).toEqual(["is built", "passed", "of the newest build", "the newest", "the newest"]);
});

test("builds of other branches and releases of pull requests are not on the way to production", () => {
  const builds = [{ ...build, number: 10, branch: "discounts", commit: "c", outcome: "failed" as const }, build];
  expect(words({ builds, releases: [{ ...release, number: 6, pullRequest: 3 }, release] })).toEqual(words({}));
});

test("each station says how far behind it is, what comes, and what waits", () => {
  const row = rowOf(cellOf("test", { running: { release: 5 }, release: 4 }), cellOf("production", { release: 3 }));
  expect(words({ row }).slice(3)).toEqual(["release 5 on its way", "2 releases behind"]);
  const waits = rowOf(cellOf("test", {}), cellOf("production", { release: null, waiting: [{ release: 5 }] }));
  expect(words({ row: waits }).slice(3)).toEqual(["the newest", "release 5 waits"]);
});

test("before anything has happened, nothing is claimed", () => {
  expect(words({ head: undefined, builds: [], releases: [], row: rowOf() })).toEqual([
    "being read",
    "none yet",
    "none yet",
    "not yet",
    "not yet",
  ]);
});

test("a build at its gate waits, and a newer commit is on its way to its build", () => {
  expect(words({ head: "c", builds: [{ ...build, state: "blocked", outcome: null } as never] }).slice(0, 2)).toEqual([
    "its build begins",
    "waits at a gate",
  ]);
});
