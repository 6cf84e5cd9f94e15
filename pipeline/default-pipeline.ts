/** The pipeline of a repository that has no pipeline file. */
import type { BlockStep, Pipeline, Retry, Step, WorkStep } from "./step.ts";

/**
 * Test (when there is a Compose file to test with), publish, deploy test, gate, deploy production. Images of pull requests are made only
 * where they get an environment.
 */
export function defaultPipeline(hasComposeTest: boolean, previews = false): Pipeline {
  const ofPullRequests = previews ? " || build.pull_request.id != null" : "";
  const published = { if: `build.branch == pipeline.default_branch${ofPullRequests}` };
  const test: Step = { kind: "test", ...work("test", "Test"), compose: "compose.test.yml", run: "test" };
  const steps: Step[] = [
    ...(hasComposeTest ? [test] : []),
    { kind: "wait", ...common("wait", "wait"), continueOnFailure: false },
    { kind: "publish", ...work("publish", "Publish"), ...published, args: {} },
    { kind: "deploy", ...common("deploy-test", "Deploy to test"), environment: "test", retry },
    { kind: "block", ...common("deploy-to-production", "Deploy to production"), ...forLeads },
    { kind: "deploy", ...common("deploy-production", "Deploy to production"), environment: "production", retry },
  ];
  return { file, env: {}, steps, notify: [] };
}

const file = "default pipeline";
const retry: Retry = { automatic: [], manual: { allowed: true, permitOnPassed: false } };
const forLeads: Pick<BlockStep, "roles" | "fields" | "blockedState"> = {
  roles: ["lead"],
  fields: [],
  blockedState: "passed",
};

type Common = Pick<WorkStep, "key" | "step" | "label" | "place" | "allowDependencyFailure">;

function common(key: string, label: string): Common {
  return { key, step: key, label, place: { file, line: 1, column: 1 }, allowDependencyFailure: false };
}

function work(key: string, label: string): WorkStep {
  return {
    ...common(key, label),
    env: {},
    softFail: false,
    retry,
    agents: {},
    artifactPaths: [],
    cancelOnBuildFailing: false,
    plugins: [],
    secrets: {},
    notify: [],
  };
}
