import type { TestCase } from "./parse-report.ts";

/**
 * One result for each test. Where a report has several of one name, they are tries of one test or parameters that the writer
 * does not name: it failed if any failed, unless the whole run passed, which a failed parameter would not have let it.
 */
export function foldTests(cases: readonly TestCase[], runPassed: boolean): TestCase[] {
  const groups = Map.groupBy(cases, ({ scope, name }) => `${scope}\0${name}`);
  return [...groups.values()].map((group) => fold(group, runPassed));
}

function fold(group: readonly TestCase[], runPassed: boolean): TestCase {
  const [first, ...rest] = group;
  if (!first) throw new Error("a test without a result");
  if (rest.length === 0) return first;
  const failed = group.find(isFailed);
  const last = group.findLast(({ outcome }) => outcome !== "skipped") ?? first;
  const recovered = failed !== undefined && runPassed && last.outcome === "passed";
  const told = failed ?? last;
  const retries = group.reduce((sum, each) => sum + each.retries, recovered ? group.filter(isFailed).length : 0);
  const ms = group.reduce((sum, each) => sum + (each.ms ?? 0), 0);
  const outcome = recovered ? "passed" : told.outcome;
  return { ...told, outcome, flaky: recovered || group.some(({ flaky }) => flaky), retries, ms };
}

export const isFailed = ({ outcome }: Pick<TestCase, "outcome">): boolean =>
  outcome === "failed" || outcome === "error";
