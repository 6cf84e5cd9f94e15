import {
  all,
  allowsApp,
  allowsConsumer,
  allowsProvider,
  failed,
  fooBar,
  forbidsApp,
  forbidsConsumer,
  forbidsProvider,
  forbidsTwo,
  missing,
  nothing,
  tagged,
  there,
  verified,
  type Situation,
} from "./situation.ts";

const bothInProd =
  "specifying a provider which has multiple prod versions of one consumer (explicit) and a single version of another (inferred)";
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

const eachOther = "when two applications have pacts with each other (nureva use case)";
const oneMissing = () =>
  there()
    .pact("ServiceB", "100", "ServiceA")
    .result("ServiceB 100 ServiceA", "99")
    .pact("ServiceA", "1", "ServiceB")
    .result("ServiceA 1 ServiceB", "100");

const newProvider = () =>
  there()
    .pact("c1", "1", "p1")
    .version("c1", "1", { tags: ["test"] })
    .result("c1 1 p1", "1", { tags: ["test"] })
    .pact("c1", "2", "p2")
    .result("c1 2 p2", "1");

export const integration: Situation[] = [
  {
    when: "find",
    world: there()
      .pact("foo", "1", "bar")
      .result("foo 1 bar", "2", { tags: ["prod"] }),
    ...{ of: ["foo"], ...tagged("prod"), ...all },
    its: { 1: ["returns a QueryResultsWithDeploymentStatusSummary", { versions: { foo: 1, bar: 1 }, rows: 1 }] },
  },
  {
    when: "when deploying a version of a provider with multiple versions of a consumer in production that is missing a verification for the latest prod version",
    world: fooBar()
      .version("Foo", "1", { tags: ["prod"] })
      .result("Foo 1 Bar", "10", { tags: ["test"] })
      .version("Foo", "2", { tags: ["prod"] })
      .pact("Foo", "2", "Bar"),
    ...{ of: [{ pacticipant: "Bar", latest: true, tag: "test" }], to: { tag: "prod" }, latestBy: "cvp" },
    ...{ ...missing, warns: ["version-not-fixed"], its: { 2: forbidsProvider } },
  },
  {
    when: "when deploying a consumer that has not been verified by any providers",
    ...{ world: fooBar().pact("Foo", "1", "Baz"), of: ["Foo 1"], ...tagged("prod") },
    ...{ is: "unknown", because: ["not-verified", "not-verified"] },
    its: {
      3: ["returns 2 integrations", { rows: 2 }],
      4: ["it creates selectors for the providers", { versions: { Foo: 1, Bar: 0, Baz: 0 } }],
      5: forbidsConsumer,
    },
  },
  {
    when: "when deploying a consumer that has two providers in prod, but it is not verified by one of the prod provider versions, pact_broker-client issue #33",
    world: there()
      .pact("Foo", "3.0.0", "Bar")
      .result("Foo 3.0.0 Bar", "10.0.0", { tags: ["prod"] })
      .pact("Foo", "3.0.0", "Baz")
      .result("Foo 3.0.0 Baz", "20", { tags: ["prod"] })
      .pact("Foo", "2.0.0", "Bar")
      .result("Foo 2.0.0 Bar", "11.0.0", { tags: ["prod"] }),
    ...{ of: ["Foo 3.0.0"], ...tagged("prod"), ...missing },
    its: {
      6: ["returns 2 integrations", { versions: { Foo: 1, Bar: 1, Baz: 1 } }],
      7: ["returns 1 row with a verification", { verified: 1 }],
      8: ["returns 1 row without a verification", { rows: 2, verified: 1 }],
      9: forbidsConsumer,
    },
  },
  {
    when: "when deploying an old version of a consumer that has added a new provider since that version",
    world: fooBar()
      .result("Foo 1 Bar", "2", { tags: ["prod"] })
      .pact("Foo", "2", "Bar")
      .result("Foo 2 Bar", "3")
      .pact("Foo", "2", "Wiffle")
      .result("Foo 2 Wiffle", "10"),
    ...{
      of: ["Foo 1"],
      ...tagged("prod"),
      ...all,
      its: { 10: "allows the old version of the consumer to be deployed" },
    },
  },
  {
    when: "when the specified version does not exist",
    ...{ world: fooBar(), of: ["Bar 5"], is: "no", because: ["no-such-version"], warns: ["no-environment"] },
    its: { 11: forbidsApp },
  },
  {
    when: "when deploying a provider to prod for the first time and the consumer is not yet deployed",
    ...{ world: verified(), of: ["Bar 2"], ...tagged("prod"), ...nothing, its: { 12: allowsApp } },
  },
  {
    when: "when deploying a consumer to prod for the first time and the provider is not yet deployed",
    ...{ world: verified(), of: ["Foo 1"], ...tagged("prod"), ...missing, its: { 13: forbidsApp } },
  },
  {
    when: "when deploying an app that is both a consumer and a provider to prod for the first time and the downstream provider is not yet deployed",
    ...{ world: verified().pact("Bar", "2", "Baz"), of: ["Bar 2"], ...tagged("prod"), ...missing },
    its: { 14: forbidsApp },
  },
  {
    when: "when deploying an app that is both a consumer and a provider to prod for the first time and the downstream provider has been deployed",
    world: verified()
      .pact("Bar", "2", "Baz")
      .result("Bar 2 Baz", "4", { tags: ["prod"] }),
    ...{ of: ["Bar 2"], ...tagged("prod"), ...all, its: { 15: allowsApp } },
  },
  {
    when: "when deploying a provider where the pact has not been verified",
    ...{ world: fooBar().version("Bar", "2"), of: ["Bar 2"], ...tagged("prod"), ...nothing },
    its: { 16: [allowsApp, { rows: 0 }] },
  },
  {
    when: "when deploying a consumer where the pact has been verified, but not by the required provider version",
    world: fooBar()
      .version("Bar", "2", { tags: ["prod"] })
      .version("Bar", "3")
      .result("Foo 1 Bar", "3"),
    ...{ of: ["Foo 1"], ...tagged("prod"), ...missing },
    its: { 17: "returns a reason indicating that the pact has not been verified by the required provider version" },
  },
  {
    when: `${eachOther} when both application versions are specified explictly`,
    ...{ world: oneMissing(), of: ["ServiceA 1", "ServiceB 100"], latestBy: "cvpv", ...missing },
    its: { 18: forbidsTwo },
  },
  {
    when: `${eachOther} when only one application is specified`,
    ...{ world: oneMissing(), of: ["ServiceB 100"], to: { latest: true }, latestBy: "cvp", ...missing },
    ...{ warns: ["no-environment"], its: { 19: forbidsTwo } },
  },
  {
    when: `${bothInProd} with inferred selectors`,
    ...{ world: manyInProd(), of: ["Bar 2", { pacticipant: "Foo", tag: "prod" }], to: { latest: true, tag: "prod" } },
    ...missing,
    its: {
      20: ["determines the number of integrations", { versions: { Bar: 1, Foo: 2, Cat: 1, Dog: 0 } }],
      21: ["finds all prod versions of Foo", { consumers: { Foo: 2, Cat: 1 } }],
      22: ["finds the single prod version of Cat", { consumers: { Foo: 2, Cat: 1 } }],
      23: [
        "is not deployable because of the missing verification for Cat v20",
        {
          says: ["There is no verified pact between the latest version of Cat with tag prod (20) and version 2 of Bar"],
        },
      ],
    },
  },
  {
    when: `${bothInProd} without inferred selectors`,
    ...{ world: manyInProd(), of: ["Bar 2", { pacticipant: "Foo", tag: "prod" }], ...all },
    its: { 24: "is deployable" },
  },
  {
    when: "when there is a consumer with two providers, and only one of them has a verification, and the consumer and the verified provider are explicitly specified",
    world: verified()
      .version("Bar", "2", { tags: ["prod"] })
      .pact("Foo", "1", "Wiffle"),
    ...{ of: ["Foo 1", { pacticipant: "Bar", tag: "prod", latest: true }], latestBy: "cvpv", ...all },
    its: { 25: allowsConsumer },
  },
  {
    when: "when a provider version has no verification results with the consumer version already in the environment",
    world: fooBar()
      .result("Foo 1 Bar", "1")
      .pact("NotInTest", "1", "Bar")
      .result("NotInTest 1 Bar", "1")
      .version("NotInTest", "1", { tags: ["test"] })
      .version("Bar", "2"),
    ...{ of: ["Bar 2"], ...tagged("test"), ...missing, its: { 26: forbidsProvider } },
  },
  {
    when: "when adding a new provider c1 v2",
    ...{ world: newProvider(), of: ["c1 2"], ...tagged("test"), ...missing },
    its: { 27: "is not allowed to be deployed because it relies on p2 which has not been deployed yet" },
  },
  {
    when: "when adding a new provider p2 v1",
    ...{ world: newProvider(), of: ["p2 1"], ...tagged("test"), ...nothing },
    its: { 28: "is allowed to be deployed because the version of c1 that is in test does not care about p2" },
  },
  {
    when: "when the consumer version currently deployed has no pacts with a provider",
    world: there()
      .pact("c1", "1", "p1")
      .result("c1 1 p1", "1")
      .version("c1", "2", { tags: ["prod"] }),
    ...{ of: ["p1 1"], ...tagged("prod"), ...nothing, its: { 29: allowsProvider } },
  },
  {
    when: "when an unresolved selector resolves to more than one resolved selector (ie. all tags)",
    world: there()
      .pact("foo", "1", "bar")
      .result("foo 1 bar", "1", { tags: ["prod"] })
      .result("foo 1 bar", "2", { tags: ["prod"], fails: true }),
    ...{ of: ["foo 1"], to: { tag: "prod" }, latestBy: "cvp", ...failed },
    its: {
      30: [
        "identifies the correct selector for a failing row",
        {
          says: [
            "The verification for the pact between version 1 of foo and the version of bar with tag prod (2) failed",
          ],
        },
      ],
    },
  },
];
