/** What a provider is asked to verify, in the situations of the reference broker's WIP and pending features. */
import { describe, expect, test } from "vitest";
import { TestWorld } from "./test-world.ts";
import { type ContentSelector, toVerify, type Wanted } from "./to-verify.ts";

const start = () => new TestWorld().pacticipant("Bar", "main");

/** Contents are named after the version that first published them. */
function world(): TestWorld {
  return start()
    .pacticipant("Foo", "main")
    .pact("Foo", "1", "Bar", "c1")
    .version("Foo", "1", { branch: "main", tags: ["prod"], in: ["prod"] })
    .pact("Foo", "2", "Bar", "c2")
    .version("Foo", "2", { branch: "main", in: ["test"] })
    .pact("Foo", "3", "Bar", "c3")
    .version("Foo", "3", { branch: "feature" })
    .pact("Cat", "1", "Bar", "k1");
}

const ask = (of: TestWorld, wanted: Partial<Wanted> = {}) =>
  toVerify(of, { provider: "Bar", selectors: [], tags: [], pending: false, ...wanted });

const contents = (of: TestWorld, ...selectors: ContentSelector[]) =>
  ask(of, { selectors }).map(({ content }) => content);

describe("asked for", () => {
  test.each<[string, ContentSelector[], string[]]>([
    ["main branches", [{ mainBranch: true }], ["c2"]],
    ["a branch", [{ branch: "feature" }], ["c3"]],
    ["a branch that is not there, or else another", [{ branch: "none", fallbackBranch: "main" }], ["c2"]],
    ["the newest with a tag", [{ tag: "prod", latest: true }], ["c1"]],
    [
      "the newest with a tag that is not there, or else another",
      [{ tag: "x", latest: true, fallbackTag: "prod" }],
      ["c1"],
    ],
    ["what is deployed", [{ deployed: true }], ["c1", "c2"]],
    ["what is released", [{ released: true }], []],
    ["what serves anywhere", [{ deployedOrReleased: true }], ["c1", "c2"]],
    ["what serves in one environment", [{ environment: "prod" }], ["c1"]],
    ["what is latest", [{ latest: true }], ["c3", "k1"]],
    ["what is latest of one consumer", [{ latest: true, consumer: "Cat" }], ["k1"]],
    ["the branch of the provider itself, which it does not tell", [{ matchingBranch: true }], []],
    ["nothing in particular: main branches or the latest, and what serves", [], ["c2", "k1", "c1"]],
  ])("%s", (_, selectors, expected) => {
    expect(contents(world(), ...selectors)).toEqual(expected);
  });

  test("the branch of the provider itself", () => {
    const wanted = { selectors: [{ matchingBranch: true }], branch: "feature" };
    expect(ask(world(), wanted).map(({ content }) => content)).toEqual(["c3"]);
  });

  test("a head that has no pact any more is not asked for by an older one", () => {
    expect(contents(world().version("Foo", "4", { branch: "main" }), { mainBranch: true })).toEqual([]);
  });

  test("once, however many heads share the content, with all their reasons", () => {
    const shared = world().pact("Foo", "5", "Bar", "c2").version("Foo", "5", { branch: "other" });
    const [only, ...more] = ask(shared, { selectors: [{ mainBranch: true }, { branch: "other" }] });
    expect(more).toEqual([]);
    expect(only).toMatchObject({
      newest: { version: { number: "5" } },
      reasons: ["latest version from the main branch 'main' (2)", "latest version from branch 'other' (5)"],
    });
  });
});

describe("pending", () => {
  const pending = (of: TestWorld, line: Partial<Wanted>) =>
    ask(of, { selectors: [{ branch: "main", consumer: "Foo" }], pending: true, ...line })[0]?.pending;

  test("while the branch never verified it", () => {
    expect(pending(world(), { branch: "main" })).toBe(true);
    expect(pending(world().result("Foo 2 Bar", "1", { branch: "main", fails: true }), { branch: "main" })).toBe(true);
  });

  test("no more once it did, also when it fails later: that is a step back", () => {
    const once = world().result("Foo 2 Bar", "1", { branch: "main" });
    expect(pending(once, { branch: "main" })).toBe(false);
    expect(pending(once.result("Foo 2 Bar", "2", { branch: "main", fails: true }), { branch: "main" })).toBe(false);
  });

  test("not on a branch that began after another had verified it, but on one that was there before", () => {
    const before = world().version("Bar", "0", { branch: "old" }).result("Foo 2 Bar", "1", { branch: "main" });
    expect(pending(before, { branch: "new" })).toBe(false);
    expect(pending(before, { branch: "old" })).toBe(true);
  });

  test("of several tags, each has to have verified it", () => {
    const one = world()
      .version("Bar", "0", { tags: ["b"] })
      .result("Foo 2 Bar", "1", { tags: ["a"] });
    expect(pending(one, { tags: ["a"] })).toBe(false);
    expect(pending(one, { tags: ["a", "b"] })).toBe(true);
  });

  test("nothing is said of it where nobody asked", () => {
    expect(ask(world(), { branch: "main" })[0]).not.toHaveProperty("pending");
  });
});

describe("work in progress", () => {
  const since = new Date(0).toISOString();
  const work = (of: TestWorld, more: Partial<Wanted> = {}) =>
    ask(of, { selectors: [{ mainBranch: true }], branch: "main", wipSince: since, pending: true, ...more })
      .filter(({ wip }) => wip)
      .map(({ content }) => content);

  test("the heads of all branches and tags that were not asked for, each pending", () => {
    expect(work(world())).toEqual(["c3", "c1"]);
    const found = ask(world(), { selectors: [{ mainBranch: true }], branch: "main", wipSince: since });
    expect(found.filter(({ wip }) => wip).every(({ pending }) => pending)).toBe(true);
  });

  test("only those published since, and none for a provider that tells neither branch nor tag", () => {
    expect(work(world(), { wipSince: "2100-01-01T00:00:00.000Z" })).toEqual([]);
    expect(ask(world(), { wipSince: since }).some(({ wip }) => wip)).toBe(false);
  });

  test("none that the branch verified, except when it was work in progress then", () => {
    expect(work(world().result("Foo 3 Bar", "1", { branch: "main" }))).toEqual(["c1"]);
    expect(work(world().result("Foo 3 Bar", "1", { branch: "main", wip: true }))).toEqual(["c3", "c1"]);
    expect(work(world().result("Foo 3 Bar", "1", { branch: "main", fails: true }))).toEqual(["c3", "c1"]);
  });

  test("none that another branch verified before this one began", () => {
    const elsewhere = world().result("Foo 3 Bar", "1", { branch: "other" });
    expect(work(elsewhere, { branch: "new" })).toEqual(["c1"]);
  });
});
