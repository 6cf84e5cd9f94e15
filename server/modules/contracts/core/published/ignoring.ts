import { failed, fooBar, missing, tagged, there, verified, type Situation } from "./situation.ts";

const consumer = "when deploying a consumer and ignoring a provider";
const provider = "when deploying a provider and ignoring a consumer";
const isMissing = "with a missing verification from a provider";
const isFailed = "with a failed verification from a provider";
const isNotThere = "when the provider has not been deployed";
const areBoth = "when the consumer and provider have been specified";
const hasNoVersion = `${areBoth} and the provider version specified does not exist`;
const without = "without any ignore selectors";
const yes = "deployment_status_summary is expected to be deployable";
const no = "deployment_status_summary is expected not to be deployable";

const notVerified = () => fooBar().version("Bar", "2", { tags: ["prod"] });
const notKept = () => fooBar().result("Foo 1 Bar", "2", { tags: ["prod"], fails: true });
const notKeptForProd = () =>
  fooBar()
    .version("Foo", "1", { tags: ["prod"] })
    .result("Foo 1 Bar", "2", { fails: true });

const foo = { of: ["Foo 1"], ...tagged("prod") };
const bar = { of: ["Bar 2"], ...tagged("prod") };
const both = { of: ["Foo 1", { pacticipant: "Bar", tag: "prod", latest: true }], ...tagged("prod") };

const passedOver = (kind: string) => ({ is: "yes" as const, because: [`ignored ${kind}`] });
const nobody = { warns: ["nothing-to-ignore"] };

export const ignoring: Situation[] = [
  {
    ...{ when: `${consumer} ${isMissing}`, world: notVerified(), ...foo, ignore: ["Bar"] },
    ...{ ...passedOver("not-verified"), its: { 46: yes } },
  },
  { when: `${consumer} ${isMissing} ${without}`, world: notVerified(), ...foo, ...missing, its: { 47: no } },
  {
    ...{ when: `${consumer} ${isFailed}`, world: notKept(), ...foo, ignore: ["Bar"] },
    ...{ ...passedOver("failed"), its: { 48: yes } },
  },
  { when: `${consumer} ${isFailed} ${without}`, world: notKept(), ...foo, ...failed, its: { 49: no } },
  {
    ...{ when: `${consumer} ${isFailed} when ignoring the specific provider version`, world: notKept(), ...foo },
    ...{ ignore: ["Bar 2"], ...passedOver("failed"), its: { 50: yes } },
  },
  {
    ...{
      when: `${consumer} ${isFailed} when ignoring a different specific provider version`,
      world: notKept(),
      ...foo,
    },
    ...{ ignore: ["Bar 999"], ...failed, ...nobody, its: { 51: no } },
  },
  {
    ...{ when: `${consumer} ${isNotThere}`, world: verified(), ...foo, ignore: ["Bar"] },
    ...{ ...passedOver("not-verified"), its: { 52: yes } },
  },
  { when: `${consumer} ${isNotThere} ${without}`, world: verified(), ...foo, ...missing, its: { 53: no } },
  {
    ...{ when: `${consumer} ${areBoth}`, world: notKept(), ...both, ignore: ["Bar"] },
    ...{ ...passedOver("failed"), its: { 54: yes } },
  },
  { when: `${consumer} ${areBoth} ${without}`, world: notKept(), ...both, ...failed, its: { 55: no } },
  {
    ...{ when: `${consumer} ${hasNoVersion}`, world: verified(), ...both, ignore: ["Bar"] },
    ...{ ...passedOver("no-such-version"), its: { 56: yes } },
  },
  {
    ...{ when: `${consumer} ${hasNoVersion} ${without}`, world: verified(), ...both },
    ...{ is: "no", because: ["no-such-version"], its: { 57: no } },
  },
  {
    when: `${consumer} when the provider to ignore does not exist`,
    ...{ world: there().pact("Foo", "1", "NotBar").result("Foo 1 NotBar", "2"), ...foo, ignore: ["Bar"] },
    ...{ ...missing, ...nobody, its: { 58: "includes a warning about the incorrect ignore selector" } },
  },
  {
    when: `${consumer} when the provider version to ignore does not exist`,
    ...{ world: verified(), ...foo, ignore: ["Bar 999"] },
    ...{ ...missing, ...nobody, its: { 59: "includes a warning about the incorrect ignore selector" } },
  },
  {
    when: `${provider} ${isMissing}`,
    world: fooBar()
      .version("Foo", "1", { tags: ["prod"] })
      .version("Bar", "2"),
    ...{ ...bar, ...missing, its: { 60: "does not allows the provider to be deployed" } },
  },
  {
    ...{ when: `${provider} ${isFailed}`, world: notKeptForProd(), ...bar, ignore: ["Foo"] },
    ...{ ...passedOver("failed"), its: { 61: yes } },
  },
  { when: `${provider} ${isFailed} ${without}`, world: notKeptForProd(), ...bar, ...failed, its: { 62: no } },
  {
    ...{ when: `${provider} ${isFailed} when ignoring the specific consumer version`, world: notKeptForProd(), ...bar },
    ...{ ignore: ["Foo 1"], ...passedOver("failed"), its: { 63: yes } },
  },
  {
    when: `${provider} ${isFailed} when ignoring the wrong specific consumer version`,
    ...{ world: notKeptForProd(), ...bar, ignore: ["Foo wrong"], ...failed, ...nobody, its: { 64: no } },
  },
];
