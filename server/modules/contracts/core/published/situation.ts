/**
 * The 64 situations that the reference broker publishes for its matrix, told anew, each under its number here and its title there:
 * pact-foundation/pact_broker, spec/lib/pact_broker/matrix and spec/fixtures/approvals, 1 to 30 of `integration_spec`, 31 to 45 of
 * `integration_environment_spec`, 46 to 64 of `integration_ignore_spec`. Verdicts, reasons and warnings are the published ones, but that
 * ours names what was ignored (`ignored failed`) where the original finds nothing missing, and each version that lacks a result.
 */
import { TestWorld } from "../test-world.ts";
import type { ask, Question } from "../test-question.ts";
import type { Target } from "../matrix.ts";
import type { Verdict } from "../verdict.ts";

export interface Situation extends Question {
  when: string;
  is: Verdict;
  because: readonly string[];
  warns?: readonly string[];
  /** The examples about it, by number: the title, and what it looks at beside the verdict. */
  its: Record<number, string | [title: string, has: Partial<ReturnType<typeof ask>>]>;
}

export const there = () => new TestWorld();
export const fooBar = () => there().pact("Foo", "1", "Bar");
export const verified = () => fooBar().result("Foo 1 Bar", "2");

export const tagged = (tag: string) => ({ to: { tag, latest: true } satisfies Target, latestBy: "cvp" as const });
export const into = (environment: string) => ({ to: { environment } satisfies Target, latestBy: "cvpv" as const });

export const all = { is: "yes", because: ["all-verified"] } as const;
export const nothing = { is: "yes", because: ["nothing-needed"] } as const;
export const missing = { is: "unknown", because: ["not-verified"] } as const;
export const failed = { is: "no", because: ["failed"] } as const;

export const allowsConsumer = "allows the consumer to be deployed";
export const forbidsConsumer = "does not allow the consumer to be deployed";
export const allowsProvider = "allows the provider to be deployed";
export const forbidsProvider = "does not allow the provider to be deployed";
export const allowsApp = "allows the app to be deployed";
export const forbidsApp = "does not allow the app to be deployed";
export const forbidsTwo = "does not allow the two apps to be deployed together";
