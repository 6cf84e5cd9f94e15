/** The plugin `junit-annotate`: what the tests of a build came to, on its page. */
import type { JobResult } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import type { JobContext } from "../job-context.ts";
import { ToolFailure } from "../job-tool/command.ts";
import { annotationText } from "../junit/annotation-text.ts";
import { fetchedIn, fetchReports } from "../junit/fetch-reports.ts";
import { foldTests, isFailed } from "../junit/fold-tests.ts";
import type { TestCase } from "../junit/parse-report.ts";
import { readReports } from "../junit/read-reports.ts";
import type { AnnotateConfig } from "./built-in.ts";

const passed: JobResult = { outcome: "passed", exitStatus: 0 };

/** Reads the reports that the artifacts of the build are, and writes the annotation; fails where the step wants that. */
export async function annotateTests(context: JobContext, config: AnnotateConfig, index: number): Promise<JobResult> {
  const { log, workspace } = context;
  const folder = `annotate-${index}`;
  await log.say("~~~ Reports of tests");
  try {
    const count = await fetchReports(context, { queries: [config.artifacts], folder });
    if (count === 0) return failed(config["failed-download-exit-code"], `no artifact is found by ${config.artifacts}`);
    const { cases, faults } = await readReports(workspace, [fetchedIn(folder)]);
    for (const fault of faults) await log.say(`a report of tests is not whole: ${fault}`);
    const tests = foldTests(cases, false);
    await annotate(context, config, tests);
    return verdictOf(config, tests);
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    return failed(config["failed-download-exit-code"], error.message);
  }
}

async function annotate(context: JobContext, config: AnnotateConfig, tests: readonly TestCase[]): Promise<void> {
  const { agent, assignment, log } = context;
  const failures = tests.filter(isFailed).length;
  const isWanted = failures > 0 || config["always-annotate"] || config["report-skipped"];
  await log.say(`${failures} of ${tests.length} tests failed`);
  if (!isWanted) return;
  const text = annotationText(tests, {
    failureFormat: config["failure-format"],
    slowest: config["report-slowest"],
    skipped: config["report-skipped"],
  });
  const style = failures > 0 ? ("error" as const) : ("info" as const);
  const body = { context: config.context, body: log.maskText(text), style };
  const answer = await agent.serverFor(assignment).client.annotate({ body });
  if (isRefusal(answer)) throw new ToolFailure(answer.message);
}

function verdictOf(config: AnnotateConfig, tests: readonly TestCase[]): JobResult {
  const failures = tests.filter(isFailed).length;
  if (tests.length < config["min-tests"])
    return failed(1, `there are ${tests.length} tests, and at least ${config["min-tests"]} were to run`);
  return failures > 0 && config["fail-build-on-error"] ? failed(1, `${failures} tests of the build failed`) : passed;
}

const failed = (exitStatus: number, reason: string): JobResult => ({
  ...{ outcome: "failed", exitStatus },
  reason: `the plugin junit-annotate: ${reason}`,
});
