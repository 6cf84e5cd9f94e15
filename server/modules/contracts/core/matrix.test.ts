/**
 * The situations in which the reference broker's own tests ask its matrix (pact-foundation/pact_broker, spec/lib/pact_broker/matrix,
 * approvals of integration, integration_environment and integration_ignore), told anew; then what it does not ask.
 */
import { expect, test } from "vitest";
import { matrix, type Query, type Target } from "./matrix.ts";
import type { Selector } from "./selectors.ts";
import { TestWorld } from "./test-world.ts";
import { isWarning, judge, type Verdict } from "./verdict.ts";

interface Asked {
  world: TestWorld;
  /** `Foo 1` for a version; else a selector. */
  of: (string | Selector)[];
  to?: Target;
  latestBy?: "cvp" | "cvpv";
  ignore?: string[];
  is: Verdict;
  because: string[];
  warns?: string[];
  rows?: number;
}

const there = () => new TestWorld();
const prod: Target = { latest: true, tag: "prod" };
const inProd = { environment: "prod" };
const inTest = { environment: "test" };
const raced = ["version-not-fixed"];
const placeless = ["no-environment"];

function named(text: string): { pacticipant: string; version?: string } {
  const [pacticipant = "", version] = text.split(" ");
  return { pacticipant, ...(version === undefined ? {} : { version }) };
}

function ask({ world, of, to = {}, latestBy, ignore = [] }: Asked) {
  const query: Query = {
    selectors: of.map((each) => (typeof each === "string" ? named(each) : each)),
    target: to,
    ...(latestBy ? { latestBy } : {}),
    ignore: ignore.map(named),
  };
  const found = matrix(world, query);
  const { verdict, reasons } = judge(world, query, found);
  const names = (warnings: boolean) =>
    reasons
      .filter((reason) => isWarning(reason) === warnings)
      .map(({ kind, ignored }) => (ignored ? `ignored ${kind}` : kind));
  return { is: verdict, because: names(false), warns: names(true), rows: found.rows.length };
}

const cp = { latestBy: "cvp" } as const;
const cpv = { latestBy: "cvpv" } as const;

const twoProviders = () =>
  there()
    .pact("Foo", "3", "Bar")
    .result("Foo 3 Bar", "10", { tags: ["prod"] })
    .pact("Foo", "3", "Baz")
    .result("Foo 3 Baz", "20", { tags: ["prod"] })
    .pact("Foo", "2", "Bar")
    .result("Foo 2 Bar", "11", { tags: ["prod"] });

const middle = () => there().pact("Foo", "1", "Bar").result("Foo 1 Bar", "2").pact("Bar", "2", "Baz");

const eachOther = () =>
  there().pact("B", "100", "A").result("B 100 A", "99").pact("A", "1", "B").result("A 1 B", "100");

const manyInProd = () =>
  there()
    .pact("Foo", "1", "Bar")
    .version("Foo", "1", { tags: ["prod"] })
    .result("Foo 1 Bar", "2")
    .pact("Foo", "2", "Bar")
    .version("Foo", "2", { tags: ["prod"] })
    .result("Foo 2 Bar", "2")
    .pact("Foo", "3", "Bar")
    .result("Foo 3 Bar", "2", { fails: true })
    .pact("Cat", "20", "Bar")
    .version("Cat", "20", { tags: ["prod"] })
    .pact("Dog", "40", "Bar")
    .result("Dog 40 Bar", "2");

const tagged = { pacticipant: "Bar", tag: "prod", latest: true };

const newProvider = () =>
  there()
    .pact("c1", "1", "p1")
    .version("c1", "1", { in: ["test"] })
    .result("c1 1 p1", "1", { in: ["test"] })
    .pact("c1", "2", "p1")
    .result("c1 2 p1", "1")
    .pact("c1", "2", "p2")
    .result("c1 2 p2", "1");

const oneOf = (older: { fails?: true }, redeployed = false) =>
  there()
    .pact("Foo", "1", "Bar")
    .result("Foo 1 Bar", "10", { ...older, in: redeployed ? [] : ["prod"] })
    .result("Foo 1 Bar", "11", { in: ["prod"] });

const twoConsumers = (second: boolean) => {
  const world = there()
    .pact("Foo", "1", "Bar")
    .version("Foo", "1", { in: ["prod"] })
    .result("Foo 1 Bar", "10")
    .pact("Foo", "2", "Bar")
    .version("Foo", "2", { in: ["prod"] });
  return second ? world.result("Foo 2 Bar", "10") : world;
};

const twoLiveProviders = (second: boolean) => {
  const world = there()
    .pact("Foo", "1", "Bar")
    .result("Foo 1 Bar", "10", { in: ["prod"] })
    .pact("Foo", "2", "Bar")
    .result("Foo 2 Bar", "10")
    .version("Bar", "11", { in: ["prod"] });
  return second ? world.result("Foo 2 Bar", "11") : world;
};

const unverified = () =>
  there()
    .pact("Foo", "1", "Bar")
    .version("Bar", "2", { tags: ["prod"] });
const failing = () =>
  there()
    .pact("Foo", "1", "Bar")
    .result("Foo 1 Bar", "2", { tags: ["prod"], fails: true });
const verified = () => there().pact("Foo", "1", "Bar").result("Foo 1 Bar", "2");

const situations: Record<string, Asked> = {
  "a consumer whose pact the provider in prod verified": {
    ...{
      world: there()
        .pact("foo", "1", "bar")
        .result("foo 1 bar", "2", { tags: ["prod"] }),
    },
    ...{ of: ["foo"], to: prod, ...cp, is: "yes", because: ["all-verified"] },
  },
  "a provider, with several versions of a consumer in prod, one of them not verified": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "1", { tags: ["prod"] })
      .result("Foo 1 Bar", "10", { tags: ["test"] })
      .pact("Foo", "2", "Bar")
      .version("Foo", "2", { tags: ["prod"] }),
    ...{ of: [{ pacticipant: "Bar", tag: "test", latest: true }], to: { tag: "prod" }, ...cp },
    ...{ is: "unknown", because: ["not-verified"], warns: raced },
  },
  "a consumer that no provider verified: a row for each": {
    ...{ world: there().pact("Foo", "1", "Bar").pact("Foo", "1", "Baz"), of: ["Foo 1"] },
    ...{ is: "unknown", because: ["not-verified", "not-verified"], warns: placeless, rows: 2 },
  },
  "a consumer that one of its two providers in prod did not verify": {
    ...{ world: twoProviders(), of: ["Foo 3"], to: prod, ...cp },
    ...{ is: "unknown", because: ["not-verified"], rows: 2 },
  },
  "an old version of a consumer, which has a new provider since": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2")
      .pact("Foo", "2", "Bar")
      .result("Foo 2 Bar", "3")
      .pact("Foo", "2", "Wiffle")
      .result("Foo 2 Wiffle", "10"),
    ...{ of: ["Foo 1"], is: "yes", because: ["all-verified"], warns: placeless },
  },
  "a version that does not exist": {
    ...{ world: there().pact("Foo", "1", "Bar"), of: ["Bar 5"] },
    ...{ is: "no", because: ["no-such-version"], warns: placeless },
  },
  "a provider for the first time, its consumer not there yet": {
    ...{ world: verified(), of: ["Bar 2"], to: prod, ...cp, is: "yes", because: ["nothing-needed"], rows: 0 },
  },
  "a consumer for the first time, its provider not there yet": {
    ...{ world: verified(), of: ["Foo 1"], to: prod, ...cp, is: "unknown", because: ["not-verified"] },
  },
  "one that is both, its own provider not there yet": {
    ...{ world: middle(), of: ["Bar 2"], to: prod, ...cp, is: "unknown", because: ["not-verified"] },
  },
  "one that is both, its own provider there": {
    world: middle().result("Bar 2 Baz", "4", { tags: ["prod"] }),
    ...{ of: ["Bar 2"], to: prod, ...cp, is: "yes", because: ["all-verified"] },
  },
  "a provider that did not verify, with no consumer in prod": {
    ...{ world: there().pact("Foo", "1", "Bar").version("Bar", "2"), of: ["Bar 2"], to: prod, ...cp },
    ...{ is: "yes", because: ["nothing-needed"] },
  },
  "a consumer verified by another version of the provider than that in prod": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Bar", "2", { tags: ["prod"] })
      .result("Foo 1 Bar", "3"),
    ...{ of: ["Foo 1"], to: prod, ...cp, is: "unknown", because: ["not-verified"] },
  },
  "two with pacts with each other, one result missing, both named": {
    ...{ world: eachOther(), of: ["A 1", "B 100"], ...cpv, is: "unknown", because: ["not-verified"], warns: placeless },
  },
  "two with pacts with each other, one result missing, one named": {
    ...{ world: eachOther(), of: ["B 100"], to: { latest: true }, ...cp },
    ...{ is: "unknown", because: ["not-verified"], warns: placeless },
  },
  "a provider and all prod versions of one consumer, others inferred": {
    ...{ world: manyInProd(), of: ["Bar 2", { pacticipant: "Foo", tag: "prod" }], to: prod },
    ...{ is: "unknown", because: ["not-verified"], warns: raced, rows: 3 },
  },
  "a provider and all prod versions of one consumer, and nobody else": {
    ...{ world: manyInProd(), of: ["Bar 2", { pacticipant: "Foo", tag: "prod" }] },
    ...{ is: "yes", because: ["all-verified"], warns: [...placeless, ...raced], rows: 2 },
  },
  "a consumer and one of its two providers: the other is not asked": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { tags: ["prod"] })
      .pact("Foo", "1", "Wiffle"),
    ...{ of: ["Foo 1", tagged], ...cpv, is: "yes", because: ["all-verified"], warns: [...placeless, ...raced] },
  },
  "a provider without a result for the consumer that is in the environment": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "1", { in: ["test"] })
      .result("Foo 1 Bar", "1")
      .version("Bar", "2"),
    ...{ of: ["Bar 2"], to: inTest, ...cpv, is: "unknown", because: ["not-verified"] },
  },
  "a consumer that needs a new provider, which is not there yet": {
    ...{ world: newProvider(), of: ["c1 2"], to: inTest, ...cpv, is: "unknown", because: ["not-verified"] },
  },
  "the new provider, for which the consumer that is there does not care": {
    ...{ world: newProvider(), of: ["p2 1"], to: inTest, ...cpv, is: "yes", because: ["nothing-needed"] },
  },
  "a provider, while the consumer's version that is there has no pact, though an older one had": {
    world: there()
      .pact("Foo", "1", "Bar")
      .version("Foo", "2", { in: ["test"] })
      .version("Bar", "5"),
    ...{ of: ["Bar 5"], to: inTest, ...cpv, is: "yes", because: ["nothing-needed"] },
  },

  "in an environment: verified by the version there, whatever a later one says": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { in: ["test"] })
      .result("Foo 1 Bar", "3", { fails: true }),
    ...{ of: ["Foo 1"], to: inTest, ...cpv, is: "yes", because: ["all-verified"] },
  },
  "in an environment: failed by the version there, whatever a later one says": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { in: ["test"], fails: true })
      .result("Foo 1 Bar", "3"),
    ...{ of: ["Foo 1"], to: inTest, ...cpv, is: "no", because: ["failed"] },
  },
  "in an environment: the provider is not there": {
    ...{ world: verified(), of: ["Foo 1"], to: inTest, ...cpv, is: "unknown", because: ["not-verified"] },
  },
  "in an environment: the consumer is not there": {
    ...{ world: verified(), of: ["Bar 2"], to: inTest, ...cpv, is: "yes", because: ["nothing-needed"] },
  },
  "in an environment: two versions of a consumer there, one not verified": {
    ...{ world: twoConsumers(false), of: ["Bar 10"], to: inProd, is: "unknown", because: ["not-verified"], rows: 2 },
  },
  "in an environment: two versions of a consumer there, both verified": {
    ...{ world: twoConsumers(true), of: ["Bar 10"], to: inProd, is: "yes", because: ["all-verified"], rows: 2 },
  },
  "in an environment: two versions of a provider there, one without a result": {
    ...{ world: twoLiveProviders(false), of: ["Foo 2"], to: inProd, is: "unknown", because: ["not-verified"] },
  },
  "in an environment: two versions of a provider there, both with a result": {
    ...{ world: twoLiveProviders(true), of: ["Foo 2"], to: inProd, is: "yes", because: ["all-verified"] },
  },
  "in an environment: the older of two versions of a provider there fails": {
    ...{ world: oneOf({ fails: true }), of: ["Foo 1"], to: inProd, ...cpv, is: "no", because: ["failed"] },
  },
  "in an environment: the same, from a client that asks for the newest result a provider only": {
    ...{ world: oneOf({ fails: true }), of: ["Foo 1"], to: inProd, ...cp, is: "no", because: ["failed"] },
  },
  "in an environment: both versions of a provider there pass": {
    ...{ world: oneOf({}), of: ["Foo 1"], to: inProd, ...cpv, is: "yes", because: ["all-verified"] },
  },
  "in an environment: the version that failed was replaced": {
    ...{ world: oneOf({ fails: true }, true), of: ["Foo 1"], to: inProd, ...cpv, is: "yes", because: ["all-verified"] },
  },

  "ignored: a provider without a result": {
    ...{ world: unverified(), of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["ignored not-verified"] },
  },
  "ignored: a provider that failed": {
    ...{ world: failing(), of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["ignored failed"] },
  },
  "ignored: the version of a provider that failed": {
    ...{ world: failing(), of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar 2"] },
    ...{ is: "yes", because: ["ignored failed"] },
  },
  "ignored: another version than the one that failed": {
    ...{ world: failing().version("Bar", "999"), of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar 999"] },
    ...{ is: "no", because: ["failed"] },
  },
  "ignored: a provider that is not there": {
    ...{ world: verified(), of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["ignored not-verified"] },
  },
  "ignored: a provider that was asked for too": {
    ...{ world: failing(), of: ["Foo 1", tagged], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["ignored failed"], warns: raced },
  },
  "ignored: a provider that was asked for and has no such version": {
    ...{ world: verified(), of: ["Foo 1", tagged], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["ignored no-such-version"], warns: raced },
  },
  "ignored: one that does not exist is a warning": {
    world: there()
      .pact("Foo", "1", "NotBar")
      .result("Foo 1 NotBar", "2", { tags: ["prod"] }),
    ...{ of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar"] },
    ...{ is: "yes", because: ["all-verified"], warns: ["nothing-to-ignore"] },
  },
  "ignored: a version that does not exist is a warning": {
    world: there()
      .pact("Foo", "1", "Bar")
      .result("Foo 1 Bar", "2", { tags: ["prod"] }),
    ...{ of: ["Foo 1"], to: prod, ...cp, ignore: ["Bar 999"] },
    ...{ is: "yes", because: ["all-verified"], warns: ["nothing-to-ignore"] },
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
    ...{ of: ["Foo 1"], to: prod, ...cpv, is: "yes", because: ["all-verified"], rows: 1 },
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
  expect({ ...found, because: found.because.toSorted() }).toEqual({
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
