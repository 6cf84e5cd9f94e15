import { expect, test } from "vitest";
import { parseManifest } from "#pipeline/manifest.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { type PlannedWork, planPipeline } from "#pipeline/plan.ts";
import { variablesOf, workOf } from "./assignment.ts";
import { contextOf } from "./context.ts";

const row = {
  ...{ id: "b", number: 7, repository: "orders", branch: "main", commit: "c".repeat(40), source: "push" as const },
  ...{ creator: "ada", author: "Ada", service: "orders", tag: null, pull_request: null, env: {}, parent: null },
};
const context = contextOf(row, "a change");

function firstStep(text: string): PlannedWork {
  const { value, errors } = parsePipeline({ file: "pipeline.yml", text });
  if (!value) throw new Error(JSON.stringify(errors));
  return planPipeline(value, context).steps[0] as PlannedWork;
}

const manifestOf = (text: string) => parseManifest(`service: orders\nhttp: { port: 80 }\n${text}`).value ?? null;

test("a publish step says only what differs from the manifest", () => {
  const manifest = manifestOf("image: { context: app, dockerfile: app/Dockerfile, args: { A: '1', B: '1' } }");
  expect(workOf(firstStep("steps:\n  - publish: { args: { B: '2' } }\n"), manifest)).toEqual({
    ...{ kind: "publish", service: "orders", context: "app", dockerfile: "app/Dockerfile" },
    args: { A: "1", B: "2" },
  });
  expect(workOf(firstStep("steps:\n  - publish: other\n"), manifest)).toMatchObject({ context: "other" });
});

test("a test step is known by its Compose file and service", () => {
  const work = workOf(firstStep("steps:\n  - test: { compose: c.yml, run: unit }\n"), null);
  expect(work).toEqual({ kind: "test", compose: "c.yml", run: "unit" });
});

test("the platform's variables win over the pipeline's, so that a job cannot be told a wrong commit", () => {
  const step = firstStep("env: { BUILDKITE_COMMIT: forged, OWN: kept }\nsteps:\n  - command: x\n");
  const job = { id: "j", attempt: 3, agent: "a", timeoutMs: 90_000 };
  expect(variablesOf({ build: row, context, step, job })).toMatchObject({
    ...{ BUILDKITE_COMMIT: row.commit, OWN: "kept", BUILDKITE_RETRY_COUNT: "2", BUILDKITE_TIMEOUT: "2" },
    ...{ TOWLINE_ATTEMPT: "3", TOWLINE_SERVICE: "orders", TOWLINE_BRANCH: "main" },
  });
});
