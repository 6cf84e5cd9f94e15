/** What a run came to. */
import type { ReportedTest } from "#api/endpoints/tests.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { stepOf } from "#pipeline/machine/steps.ts";

export interface StepResult {
  key: string;
  label: string;
  kind: string;
  outcome: string;
  reason?: string;
  exitStatus?: number;
  attempts: number;
  ms: number;
}

/** How every step of the run stands at its end. */
export function resultsOf(state: BuildState): StepResult[] {
  return state.plan.steps
    .filter(({ kind }) => kind !== "wait")
    .map(({ key, label, kind }) => {
      const { status, attempts } = stepOf(state, key);
      const end = status.state === "finished" ? status : undefined;
      const ms = attempts.reduce((sum, { startedAt, finishedAt }) => sum + between(startedAt, finishedAt), 0);
      return {
        ...{ key, label, kind, outcome: end?.outcome ?? status.state, attempts: attempts.length, ms },
        ...(end?.reason === undefined ? {} : { reason: end.reason }),
        ...(end?.exitStatus === undefined ? {} : { exitStatus: end.exitStatus }),
      };
    });
}

const between = (from: string | undefined, to: string | undefined): number =>
  from && to ? Date.parse(to) - Date.parse(from) : 0;

interface TestResults {
  passed: number;
  failed: number;
  skipped: number;
  failures: { step: string; scope: string; name: string; message?: string }[];
}

export function createTestResults(): TestResults & { add(step: string, tests: readonly ReportedTest[]): void } {
  const results: TestResults = { passed: 0, failed: 0, skipped: 0, failures: [] };
  return Object.assign(results, {
    add(step: string, tests: readonly ReportedTest[]) {
      for (const { outcome, scope, name, message } of tests) {
        const isFailed = outcome === "failed" || outcome === "error";
        results[outcome === "error" ? "failed" : outcome]++;
        if (isFailed) results.failures.push({ step, scope, name, ...(message === undefined ? {} : { message }) });
      }
    },
  });
}
