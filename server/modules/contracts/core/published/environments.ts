import {
  all,
  allowsConsumer,
  allowsProvider,
  failed,
  fooBar,
  forbidsConsumer,
  forbidsProvider,
  into,
  missing,
  nothing,
  verified,
  type Situation,
} from "./situation.ts";

const manyConsumers = "when deploying a version of a provider with multiple versions of a consumer in production";
const twoConsumers = () =>
  fooBar()
    .version("Foo", "1", { in: ["prod"] })
    .result("Foo 1 Bar", "10")
    .pact("Foo", "2", "Bar")
    .version("Foo", "2", { in: ["prod"] });
const manyProviders = "when deploying a version of a consumer with multiple versions of a provider in production";
const twoProviders = () =>
  fooBar()
    .result("Foo 1 Bar", "10", { in: ["prod"] })
    .pact("Foo", "2", "Bar")
    .version("Bar", "11", { in: ["prod"] });
const isMissing = "when a verification for the latest prod version is missing";
const isForAll = "when there is a successful verification for every prod version of the consumer";

const releasedProviders =
  "when deploying a consumer with multiple versions of a provider released to production (latestby cvpv)";
const deployedProviders =
  "when deploying a consumer with multiple versions of a provider deployed to production on different targets (latestby cvpv)";

export const environments: Situation[] = [
  {
    when: "when there is a successful verification between the provider in test environment and the consumer to be deployed",
    world: fooBar()
      .result("Foo 1 Bar", "2", { in: ["test"] })
      .result("Foo 1 Bar", "3", { fails: true }),
    ...{ of: ["Foo 1"], ...into("test"), ...all, its: { 31: allowsConsumer } },
  },
  {
    when: "when there is an unsuccessful verification between the provider in test environment and the consumer to be deployed",
    world: fooBar()
      .result("Foo 1 Bar", "2", { in: ["test"], fails: true })
      .result("Foo 1 Bar", "3"),
    ...{ of: ["Foo 1"], ...into("test"), ...failed, its: { 32: forbidsConsumer } },
  },
  {
    when: "when the provider has not been deployed to the given environment",
    ...{ world: verified(), of: ["Foo 1"], ...into("test"), ...missing, its: { 33: forbidsConsumer } },
  },
  {
    when: "when the consumer has not been deployed to the given environment",
    ...{ world: verified(), of: ["Bar 2"], ...into("test"), ...nothing, its: { 34: allowsProvider } },
  },
  {
    ...{ when: manyConsumers, world: twoConsumers(), of: ["Bar 10"], to: { environment: "prod" }, ...missing },
    its: {
      35: ["knows that there are multiple versions of the consumer in production", { versions: { Bar: 1, Foo: 2 } }],
    },
  },
  {
    ...{ when: `${manyConsumers} ${isMissing}`, world: twoConsumers(), of: ["Bar 10"], to: { environment: "prod" } },
    ...{ ...missing, its: { 36: forbidsProvider } },
  },
  {
    ...{ when: `${manyConsumers} ${isForAll}`, world: twoConsumers().result("Foo 2 Bar", "10"), of: ["Bar 10"] },
    ...{ to: { environment: "prod" }, ...all, its: { 37: "does allow the provider to be deployed" } },
  },
  {
    ...{ when: manyProviders, world: twoProviders(), of: ["Foo 2"], to: { environment: "prod" } },
    ...{ is: "unknown", because: ["not-verified", "not-verified"] },
    its: {
      38: ["knows that there are multiple versions of the provider in production", { versions: { Foo: 1, Bar: 2 } }],
    },
  },
  {
    ...{ when: `${manyProviders} ${isMissing}`, world: twoProviders(), of: ["Foo 2"], to: { environment: "prod" } },
    ...{ is: "unknown", because: ["not-verified", "not-verified"], its: { 39: forbidsConsumer } },
  },
  {
    when: `${manyProviders} ${isForAll}`,
    // Its own world lacks the result of version 10, against the title: there the original says yes by mistake (its issue 903).
    ...{ world: twoProviders().result("Foo 2 Bar", "10").result("Foo 2 Bar", "11"), of: ["Foo 2"] },
    ...{ to: { environment: "prod" }, ...all, its: { 40: "does allow the consumer to be deployed" } },
  },
  {
    when: `${releasedProviders} when an older released provider version has a failing verification`,
    world: fooBar()
      .result("Foo 1 Bar", "10", { fails: true, releasedTo: ["prod"] })
      .result("Foo 1 Bar", "11", { releasedTo: ["prod"] }),
    ...{ of: ["Foo 1"], ...into("prod"), ...failed, its: { 41: forbidsConsumer } },
  },
  {
    when: `${releasedProviders} when every released provider version has a successful verification`,
    world: fooBar()
      .result("Foo 1 Bar", "10", { releasedTo: ["prod"] })
      .result("Foo 1 Bar", "11", { releasedTo: ["prod"] }),
    ...{ of: ["Foo 1"], ...into("prod"), ...all, its: { 42: allowsConsumer } },
  },
  {
    when: `${deployedProviders} when an older targeted deployment has a failing verification`,
    world: fooBar()
      .result("Foo 1 Bar", "10", { fails: true, in: ["prod"] })
      .result("Foo 1 Bar", "11", { in: ["prod"] }),
    ...{ of: ["Foo 1"], ...into("prod"), ...failed, its: { 43: forbidsConsumer } },
  },
  {
    when: `${deployedProviders} when every targeted deployment has a successful verification`,
    world: fooBar()
      .result("Foo 1 Bar", "10", { in: ["prod"] })
      .result("Foo 1 Bar", "11", { in: ["prod"] }),
    ...{ of: ["Foo 1"], ...into("prod"), ...all, its: { 44: allowsConsumer } },
  },
  {
    when: "when a version is deployed without a target and then replaced by a redeployment (latestby cvpv)",
    // The version that was replaced is in no environment any more.
    world: fooBar()
      .result("Foo 1 Bar", "10", { fails: true })
      .result("Foo 1 Bar", "11", { in: ["prod"] }),
    ...{ of: ["Foo 1"], ...into("prod"), ...all },
    its: { 45: "only considers the currently deployed version and allows the consumer to be deployed" },
  },
];
