/** A Vitest reporter beside the usual one: leaves the outcome as JSON in the file that VITEST_OUTCOME_FILE names. */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Outcome } from "./outcome.ts";

export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const path = process.env["VITEST_OUTCOME_FILE"];
    if (path === undefined) throw new Error("VITEST_OUTCOME_FILE is not set");
    writeFileSync(path, JSON.stringify(outcomeOf(modules, unhandledErrors)));
  }
}

function outcomeOf(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Outcome {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const states = tests.map((test) => test.result().state);
  // A file that does not load has errors of its own and no tests; so has a hook that fails.
  const broken = modules.filter((module) => module.errors().length > 0 || hasBrokenSuite(module)).length;
  return {
    passed: states.filter((state) => state === "passed").length,
    failed:
      states.filter((state) => state === "failed" || state === "pending").length + broken + unhandledErrors.length,
    skipped: tests.filter((test) => test.result().state === "skipped").map(skipOf),
  };
}

function hasBrokenSuite(module: TestModule): boolean {
  return [...module.children.allSuites()].some((suite) => suite.errors().length > 0);
}

function skipOf(test: TestCase): Outcome["skipped"][number] {
  const result = test.result();
  return {
    name: `${test.module.relativeModuleId} > ${test.fullName}`,
    reason: "note" in result ? result.note : undefined,
  };
}
