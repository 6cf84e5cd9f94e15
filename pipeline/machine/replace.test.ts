import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { parsePipeline } from "../pipeline-file.ts";
import { planPipeline } from "../plan.ts";
import { planUpload } from "../upload.ts";
import type { Command } from "./command.ts";
import { decideAndApply } from "./decide.ts";
import { withoutRest } from "./replace.ts";
import { startBuild } from "./start.ts";
import type { BuildState } from "./state.ts";

const at = "2026-01-01T00:00:00Z";
const context = {
  build: { number: 1, branch: "main", commit: "", message: "", source: "push" as const, env: {} },
  pipeline: { slug: "s", defaultBranch: "main" },
};

function begin(text: string): BuildState {
  const parsed = parsePipeline({ file: "p.yml", text });
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  return startBuild(planPipeline(parsed.value, context), { at }).state;
}

function run(state: BuildState, ...commands: Command[]): BuildState {
  return commands.reduce((before, command) => {
    const done = decideAndApply(before, command);
    if (isRefusal(done)) throw new Error(`${command.type}: ${done.message}`);
    return done.state;
  }, state);
}

const lease = (step: string): Command => ({ type: "lease", step, token: `t-${step}`, agent: "a", at });
const finish = (step: string, outcome: "passed" | "failed"): Command => ({
  ...{ type: "finish", step, token: `t-${step}`, outcome, exitStatus: outcome === "passed" ? 0 : 1, at },
});

function replace(state: BuildState, step: string, text: string): BuildState {
  const rest = withoutRest(state).state;
  const parsed = parsePipeline({ file: "u.yml", text });
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  const steps = planUpload(rest.plan, parsed.value, context);
  return run(state, { type: "upload", step, token: `t-${step}`, upload: "u", replace: true, steps, at });
}

const shown = ({ steps }: BuildState) =>
  Object.values(steps).map(
    ({ key, status }) => `${key} ${status.state === "finished" ? status.outcome : status.state}`,
  );

test("the rest goes, and what has begun or ended stays; a name that became free may be taken", () => {
  const state = run(
    begin("- { key: a, command: a }\n- { key: b, command: b }\n- wait\n- { key: c, command: c }"),
    lease("a"),
    lease("b"),
    finish("b", "passed"),
  );
  const after = replace(state, "a", "- { key: c, command: other }");
  expect(shown(after)).toEqual(["a leased", "b passed", "c waiting"]);
  expect(shown(run(after, finish("a", "passed")))).toEqual(["a passed", "b passed", "c runnable"]);
});

test("a gate goes only with all that stands behind it, so that no deployment gets past it", () => {
  const flow = "- { key: image, publish: . }\n- { key: go, block: Go }\n- { key: ship, deploy: test }";
  const state = run(begin(`${flow}\n- { key: side, command: x, depends_on: [] }`), lease("side"), lease("image"));
  expect(shown(replace(state, "side", "- { key: x, command: x }"))).toEqual([
    "image leased",
    "side leased",
    "x waiting",
  ]);
  // A deployment that was tried holds its gate, opened or not.
  const tried = run(
    state,
    finish("image", "passed"),
    { type: "unblock", step: "go", user: "lea", role: "lead", at },
    { type: "request-deploy", step: "ship", request: "r1", at },
    { type: "deployment-finished", request: "r1", outcome: "failed", at },
    { type: "retry", step: "ship", by: "ada", at },
  );
  expect(shown(replace(tried, "side", "- { key: x, command: x }"))).toEqual([
    "image passed",
    "go passed",
    "ship runnable",
    "side leased",
    "x waiting",
  ]);
});

test("steps that were broken or left out go too, and do not come back when what broke them is tried again", () => {
  const text =
    "- { key: a, command: a, depends_on: [] }\n- { key: u, command: u, depends_on: [] }\n- { key: b, command: b, depends_on: a }\n- { key: s, command: s, skip: true }";
  const state = run(begin(text), lease("a"), lease("u"), finish("a", "failed"));
  expect(shown(state)).toEqual(["a failed", "u leased", "b broken", "s skipped"]);
  const after = replace(state, "u", "- wait");
  expect(shown(after)).toEqual(["a failed", "u leased", "wait waiting"]);
  expect(shown(run(after, { type: "retry", step: "a", by: "ada", at }))[0]).toBe("a runnable");
});
