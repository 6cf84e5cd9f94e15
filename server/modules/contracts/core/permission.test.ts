import { expect, test } from "vitest";
import { permission } from "./permission.ts";
import { TestWorld } from "./test-world.ts";

type Serving = Record<string, string[]>;

function asked(world: TestWorld, who: string, serving: Serving) {
  const [pacticipant = "", version = ""] = who.split(" ");
  const question = { pacticipant, version, environment: "prod", serving: new Map(Object.entries(serving)) };
  const { answer, reasons } = permission(world, question);
  return [answer, ...reasons.map(({ kind }) => kind)];
}

test("who has no contract with anybody is told so, known or not", () => {
  const world = new TestWorld().pacticipant("alone");
  expect(asked(world, "alone 1", {})).toEqual(["none"]);
  expect(asked(world, "nobody 1", {})).toEqual(["none"]);
  world.pact("web", "1", "api");
  expect(asked(world, "alone 1", { web: ["1"], api: ["1"] })).toEqual(["none"]);
});

test("what really serves counts, whatever was recorded of it", () => {
  const world = new TestWorld().pact("web", "1", "api").result("web 1 api", "1", { in: ["prod"] });
  world.result("web 1 api", "2", { fails: true });
  expect(asked(world, "web 1", { api: ["1"] })).toEqual(["yes"]);
  expect(asked(world, "web 1", { api: ["2"] })).toEqual(["no", "failed"]);
  expect(asked(world, "web 1", { api: [] })).toEqual(["unknown", "not-verified"]);
  // Somebody who is no service of ours: the record counts.
  expect(asked(world, "web 1", {})).toEqual(["yes"]);
});

test("while two versions serve, both must fit; one that nobody has heard of has verified nothing", () => {
  const world = new TestWorld().pact("web", "1", "api").result("web 1 api", "1");
  expect(asked(world, "web 1", { api: ["1", "2"] })).toEqual(["unknown", "not-verified"]);
  world.result("web 1 api", "2");
  expect(asked(world, "web 1", { api: ["1", "2"] })).toEqual(["yes"]);
});

test("a provider needs a result for each consumer that serves there, and for no other", () => {
  const world = new TestWorld().pact("web", "1", "api").pact("app", "1", "api").result("web 1 api", "2");
  expect(asked(world, "api 2", { web: ["1"], app: [] })).toEqual(["yes"]);
  expect(asked(world, "api 3", { web: ["1"], app: [] })).toEqual(["unknown", "not-verified"]);
  expect(asked(world, "api 2", { web: ["1"], app: ["1"] })).toEqual(["unknown", "not-verified"]);
  expect(asked(world, "api 3", { web: [], app: [] })).toEqual(["yes"]);
});

test("a version whose build published no pact is unknown where the one that serves has some", () => {
  const world = new TestWorld().pact("web", "1", "api").result("web 1 api", "1");
  expect(asked(world, "web 2", { web: ["1"], api: ["1"] })).toEqual(["unknown", "no-pact"]);
  expect(asked(world, "web 1", { web: ["1"], api: ["1"] })).toEqual(["yes"]);
  expect(asked(world, "api 2", { web: [], api: ["1"] })).toEqual(["yes"]);
});
