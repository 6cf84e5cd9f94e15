import { expect, test } from "vitest";
import { parseManifest } from "../manifest.ts";
import { parsePipeline } from "../pipeline-file.ts";
import type { BuildContext } from "../build-context.ts";
import { type PlannedWork, planPipeline } from "../plan.ts";
import { variablesOf, workOf } from "./assignment.ts";

const commit = "c".repeat(40);
const build = { id: "b", repository: "orders", author: "Ada", service: "orders", folder: "", parent: null };
const context: BuildContext = {
  build: { number: 7, branch: "main", commit, message: "a change", source: "push", creator: "ada", env: {} },
  pipeline: { slug: "orders", defaultBranch: "main" },
};

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
  expect(variablesOf({ build, context, step, job })).toMatchObject({
    ...{ BUILDKITE_COMMIT: commit, OWN: "kept", BUILDKITE_RETRY_COUNT: "2", BUILDKITE_TIMEOUT: "2" },
    ...{ TOWLINE_ATTEMPT: "3", TOWLINE_SERVICE: "orders", TOWLINE_BRANCH: "main" },
  });
});
