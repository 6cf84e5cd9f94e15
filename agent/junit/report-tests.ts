import type { JobResult } from "#api/endpoints/agent.ts";
import { type TestReport, testReportLimit } from "#api/endpoints/tests.ts";
import { isRefusal } from "#api/errors.ts";
import { untilAnswered } from "../passing.ts";
import type { JobContext } from "../job-context.ts";
import { foldTests, isFailed } from "./fold-tests.ts";
import { readReports } from "./read-reports.ts";
import type { TestCase } from "./parse-report.ts";

/**
 * Reads the reports that the patterns name and tells the server each test's result, and the log how many there were. Call it
 * when nothing of the job runs any more. It never changes the result: what cannot be read is said in the log.
 */
export async function reportTests(
  context: Pick<JobContext, "agent" | "assignment" | "log" | "workspace" | "ended">,
  patterns: readonly string[],
  { outcome }: Pick<JobResult, "outcome">,
): Promise<void> {
  const { log, workspace, ended } = context;
  if (ended.aborted) return;
  const { files, cases, faults } = await readReports(workspace, patterns);
  const tests = foldTests(cases, outcome === "passed").map((test) => masked(test, log.maskText));
  await log.say(`~~~ Tests: ${summary(tests)}, from ${files} ${files === 1 ? "report" : "reports"}`);
  for (const fault of faults) await log.say(`a report of tests is not whole: ${fault}`);
  if (files === 0) await log.say(`no file fits ${patterns.join(", ")}`);
  for (const part of partsOf(tests, faults)) if (!(await send(context, part))) return;
}

async function send({ agent, assignment, log, ended }: Parameters<typeof reportTests>[0], part: TestReport) {
  const { job, token } = assignment;
  const call = () => agent.client.reportTests({ params: { id: job }, body: { token, ...part } });
  const answer = await untilAnswered(call, ended);
  if (isRefusal(answer)) await log.say(`the results of the tests were not taken: ${answer.message}`);
  return answer !== undefined && !isRefusal(answer);
}

/** What tests write goes to the server outside of the log, where nothing else masks it. */
function masked(test: TestCase, hide: (text: string) => string): TestCase {
  const { message, detail, scope, name, ...rest } = test;
  return {
    ...{ ...rest, scope: hide(scope), name: hide(name) || "(no name)" },
    ...(message ? { message: hide(message) } : {}),
    ...(detail ? { detail: hide(detail) } : {}),
  };
}

function summary(tests: readonly TestCase[]): string {
  const count = (holds: (test: TestCase) => boolean) => tests.filter(holds).length;
  const failed = count(isFailed);
  const parts: [number, string][] = [
    [failed, "failed"],
    [count(({ outcome }) => outcome === "passed"), "passed"],
    [count(({ flaky }) => flaky), "of them flaky"],
    [count(({ outcome }) => outcome === "skipped"), "skipped"],
  ];
  return (
    parts
      .filter(([number]) => number > 0)
      .map(([number, word]) => `${number} ${word}`)
      .join(", ") || "none"
  );
}

/** Details of all tests of a job together. */
const mostDetail = 8 * 1024 * 1024;

/** Parts that a request can carry, the first of a report at least; failed tests first, should not all details fit. */
function* partsOf(tests: readonly TestCase[], faults: readonly string[]): Generator<TestReport> {
  const sorted = [...tests.filter(isFailed), ...tests.filter((test) => !isFailed(test))];
  let room = mostDetail;
  let part: TestCase[] = [];
  let bytes = 0;
  let number = 0;
  const whole = (last: boolean): TestReport => ({ part: number++, last, faults: last ? [...faults] : [], tests: part });
  for (const { detail, ...test } of sorted) {
    const kept = detail && room >= detail.length ? { ...test, detail } : test;
    room -= "detail" in kept ? (detail?.length ?? 0) : 0;
    const size = JSON.stringify(kept).length;
    if (part.length === testReportLimit.tests || bytes + size > testReportLimit.text) {
      yield whole(false);
      part = [];
      bytes = 0;
    }
    part.push(kept);
    bytes += size;
  }
  yield whole(true);
}
