/** What the published situations (`published/`) do not ask. */
import { expect, test } from "vitest";
import { ask, type Question } from "./test-question.ts";
import { TestWorld } from "./test-world.ts";
import type { Verdict } from "./verdict.ts";

interface Asked extends Question {
  is: Verdict;
  because: string[];
  warns?: string[];
  rows?: number;
}

const there = () => new TestWorld();
const cp = { latestBy: "cvp" } as const;
const cpv = { latestBy: "cvpv" } as const;
const inProd = { environment: "prod" };
const inTest = { environment: "test" };
const raced = ["version-not-fixed"];
const placeless = ["no-environment"];

const verified = () => there().pact("Foo", "1", "Bar").result("Foo 1 Bar", "2");
const failing = () =>
  there()
    .pact("Foo", "1", "Bar")
    .result("Foo 1 Bar", "2", { tags: ["prod"], fails: true });

const situations: Record<string, Asked> = {
  "nobody is named to go with, and no provider verified: a row for each": {
    ...{ world: there().pact("Foo", "1", "Bar").pact("Foo", "1", "Baz"), of: ["Foo 1"] },
    ...{ is: "unknown", because: ["not-verified", "not-verified"], warns: placeless, rows: 2 },
  },
  "a provider of two that serve in the environment has no result, though the other has": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "11", { in: ["prod"] })
      .version("Bar", "10", { in: ["prod"] }),
    ...{ of: ["Foo 1"], to: inProd, is: "unknown", because: ["not-verified"], rows: 2 },
  },
  "the older of two versions of a provider fails, from a client that asks for the newest result a provider only": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "10", { in: ["prod"], fails: true })
      .result("Foo 1 Bar", "11", { in: ["prod"] }),
    ...{ of: ["Foo 1"], to: inProd, ...cp, is: "no", because: ["failed"] },
  },
  "a provider without a result for the consumer that is in the environment": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "1", { in: ["test"] })
      .result("Foo 1 Bar", "1")
      .version("Bar", "2"),
    ...{ of: ["Bar 2"], to: inTest, ...cpv, is: "unknown", because: ["not-verified"] },
  },
  "a provider, while the consumer's version in the environment has no pact, though an older one had": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "2", { in: ["test"] })
      .version("Bar", "5"),
    ...{ of: ["Bar 5"], to: inTest, ...cpv, is: "yes", because: ["nothing-needed"] },
  },
  "the same content under a new version is verified already": {
    world: there()
      .pact("Foo", "1", "Bar", "same")
      .result("Foo 1 Bar", "2", { in: ["prod"] })
      .pact("Foo", "2", "Bar", "same"),
    ...{ of: ["Foo 2"], to: inProd, is: "yes", because: ["all-verified"] },
  },
  "a result that was taken again: the newest counts": {
    world: failing().result("Foo 1 Bar", "2"),
    ...{ of: ["Foo 1"], to: { latest: true, tag: "prod" }, ...cpv, is: "yes", because: ["all-verified"], rows: 1 },
  },
  "failed and missing together is unknown": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { in: ["prod"], fails: true })
      .pact("Foo", "1", "Baz"),
    ...{ of: ["Foo 1"], to: inProd, is: "unknown", because: ["failed", "not-verified"] },
  },
  "merging: verified by the head of the provider's main branch": {
    world: there()
      .pacticipant("Bar", "main")
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { branch: "main" })
      .version("Bar", "3", { branch: "feature" }),
    ...{ of: ["Foo 1"], to: { mainBranch: true }, ...cp, is: "yes", because: ["all-verified"] },
  },
  "merging: the provider has no main branch": {
    ...{ world: verified(), of: ["Foo 1"], to: { mainBranch: true }, is: "unknown", because: ["not-verified"] },
  },
  "one without any pact": {
    ...{ world: there().version("Lone", "1"), of: ["Lone 1"], to: inProd, is: "yes", because: ["nothing-needed"] },
  },
  "the head of a branch": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "1", { branch: "a" })
      .result("Foo 1 Bar", "2", { in: ["prod"] })
      .pact("Foo", "2", "Bar")
      .version("Foo", "2", { branch: "b" }),
    ...{ of: [{ pacticipant: "Foo", branch: "a" }], to: inProd, is: "yes", because: ["all-verified"], warns: raced },
  },
};

test.each(Object.entries(situations))("%s", (_, situation) => {
  const { is, because, warns = [], rows } = situation;
  const found = ask(situation);
  expect({ ...found, because: found.because.toSorted() }).toMatchObject({
    ...{ is, because, warns },
    rows: rows ?? found.rows,
  });
});

test("every situation is told in any order: the world is a set", () => {
  for (const situation of Object.values(situations)) {
    const { world } = situation;
    const reversed = {
      pacticipants: world.pacticipants,
      versions: world.versions.toReversed(),
      publications: world.publications.toReversed(),
      verifications: world.verifications.toReversed(),
    } as unknown as TestWorld;
    expect(ask({ ...situation, world: reversed })).toEqual(ask(situation));
  }
});
