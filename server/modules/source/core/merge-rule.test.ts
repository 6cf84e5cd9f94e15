import { describe, expect, test } from "vitest";
import { mergeBlockers, type MergeSituation } from "./merge-rule.ts";

const head = "a".repeat(40);
const old = "b".repeat(40);
const rules = { requiredApprovals: 1, requireBuild: true };
const ready: MergeSituation = {
  state: "open",
  author: "ada",
  head,
  changesRequested: [],
  approvals: [{ user: "bob", revision: head }],
  check: { number: 7, outcome: "passed", ofServices: false },
  serviceChecks: [],
};
const codes = (change: Partial<MergeSituation>, more = rules) =>
  mergeBlockers({ ...ready, ...change }, more).map(({ refused }) => refused);

describe("a pull request", () => {
  test("may be merged when approved and green", () => expect(codes({})).toEqual([]));

  test("names every reason that it waits for", () =>
    expect(codes({ approvals: [], check: undefined })).toEqual([
      "pull-request.not-approved",
      "pull-request.not-green",
    ]));

  test("needs approvals of its present head by others than its author", () => {
    expect(codes({ approvals: [{ user: "bob", revision: old }] })).toEqual(["pull-request.not-approved"]);
    expect(codes({ approvals: [{ user: "ada", revision: head }] })).toEqual(["pull-request.not-approved"]);
    expect(codes({}, { ...rules, requiredApprovals: 2 })).toEqual(["pull-request.not-approved"]);
  });

  test("waits for whoever asks for changes, at whatever head they asked", () =>
    expect(codes({ changesRequested: [{ user: "cat", revision: old }] })).toEqual(["pull-request.changes-requested"]));

  test("needs a build that passed, unless the repository asks for none", () => {
    expect(codes({ check: { number: 7, outcome: "failed", ofServices: false } })).toEqual(["pull-request.not-green"]);
    expect(codes({ check: undefined }, { requiredApprovals: 0, requireBuild: false })).toEqual([]);
  });

  test("of a repository with several services needs each of them to pass; a retry of one service's build is enough", () => {
    const services = (catalog: "passed" | "failed" | null) => [
      { service: "catalog", number: 8, outcome: catalog },
      { service: "orders", number: 7, outcome: "passed" as const },
    ];
    const failed = { number: 7, outcome: "failed" as const, ofServices: true };
    expect(codes({ serviceChecks: services("passed") })).toEqual([]);
    expect(codes({ serviceChecks: services(null) })).toEqual(["pull-request.not-green"]);
    expect(codes({ check: failed, serviceChecks: services("failed") })).toEqual(["pull-request.not-green"]);
    expect(codes({ check: failed, serviceChecks: services("passed") })).toEqual([]);
    expect(codes({ check: { ...failed, ofServices: false }, serviceChecks: services("passed") })).toEqual([
      "pull-request.not-green",
    ]);
  });

  test("that has ended is not merged again", () => {
    expect(codes({ state: "merged" })).toEqual(["pull-request.closed"]);
    expect(codes({ state: "closed" })).toEqual(["pull-request.closed"]);
  });
});
