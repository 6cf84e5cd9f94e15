import { describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { parsePipeline } from "../pipeline-file.ts";
import { planPipeline } from "../plan.ts";
import { apply } from "./apply.ts";
import type { Command } from "./command.ts";
import { maximumLosses } from "./decide-job.ts";
import { decide } from "./decide.ts";
import { intents } from "./intents.ts";
import { startBuild } from "./start.ts";
import type { BuildState } from "./state.ts";
import { buildStatus } from "./status.ts";
import { renderWaitReason, waitReasons } from "./wait-reason.ts";

const at = "2026-01-01T00:00:00Z";
const context: BuildContext = {
  build: { number: 1, branch: "main", commit: "a".repeat(40), message: "m", source: "push", env: {} },
  pipeline: { slug: "orders", defaultBranch: "main" },
};

function start(text: string): BuildState {
  const parsed = parsePipeline({ file: "p.yml", text });
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  return startBuild(planPipeline(parsed.value, context), { by: "ada", at }).state;
}

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;

function attempt(state: BuildState, command: Untimed<Command>): BuildState | string {
  const decided = decide(state, { ...command, at });
  return isRefusal(decided) ? decided.refused : decided.reduce(apply, state);
}

function run(state: BuildState, ...commands: Untimed<Command>[]): BuildState {
  return commands.reduce((current, command) => {
    const next = attempt(current, command);
    if (typeof next === "string") throw new Error(`${command.type} refused: ${next}`);
    return next;
  }, state);
}

let tokens = 0;

/** Leases, starts and finishes a job. */
function work(
  state: BuildState,
  step: string,
  outcome: "passed" | "failed" | "timed-out" = "passed",
  exitStatus = outcome === "passed" ? 0 : 1,
): BuildState {
  const token = `t${++tokens}`;
  const lease = { type: "lease", step, token, agent: "a1" } as const;
  return run(state, lease, { type: "start", step, token }, { type: "finish", step, token, outcome, exitStatus });
}

const shown = (state: BuildState): Record<string, string> =>
  Object.fromEntries(
    Object.values(state.steps).map(({ key, status }) => [
      key,
      status.state === "finished" ? status.outcome : status.state,
    ]),
  );
const status = (state: BuildState): string =>
  [buildStatus(state).state, buildStatus(state).outcome].filter(Boolean).join(" ");
const waits = (state: BuildState, step: string): string[] => waitReasons(state, step).map(renderWaitReason);

const flow = `
steps:
  - { key: unit, command: make test }
  - wait
  - { key: image, publish: . }
  - { key: to-test, deploy: test }
  - { key: gate, block: Deploy to production, allowed_roles: [lead] }
  - { key: to-production, deploy: production }
`;

describe("one change from test to production", () => {
  const published = work(work(start(flow), "unit"), "image");
  const tested = run(
    published,
    { type: "request-deploy", step: "to-test", request: "r1" },
    { type: "deployment-finished", request: "r1", outcome: "succeeded" },
  );

  test("begins with what waits for nothing", () => {
    expect(intents(start(flow))).toEqual([{ type: "offer", id: "offer:unit:1", step: "unit", agents: {} }]);
    expect(status(start(flow))).toBe("scheduled");
  });
  test("asks for a deployment and waits for its end", () => {
    expect(intents(published)).toEqual([
      { type: "request-deploy", id: "deploy:to-test:1", step: "to-test", environment: "test" },
    ]);
    const asked = run(published, { type: "request-deploy", step: "to-test", request: "r1" });
    expect(intents(asked)).toEqual([]);
    expect(waits(asked, "to-test")).toEqual(["for the deployment to test"]);
  });
  test("stops at the gate until somebody with the role opens it", () => {
    expect(status(tested)).toBe("blocked");
    expect(waits(tested, "to-production")).toEqual(['for a person (lead) to open "Deploy to production"']);
    expect(attempt(tested, { type: "unblock", step: "gate", user: "eve", role: "developer" })).toBe("auth.forbidden");
    expect(attempt(tested, { type: "request-deploy", step: "to-production", request: "r2" })).toBe("build.wrong-state");
  });
  test("tells who opened the gate with the deployment, and ends passed", () => {
    const opened = run(tested, { type: "unblock", step: "gate", user: "lea", role: "lead" });
    expect(intents(opened)).toMatchObject([{ type: "request-deploy", environment: "production", actor: "lea" }]);
    const done = run(
      opened,
      { type: "request-deploy", step: "to-production", request: "r2" },
      { type: "deployment-finished", request: "r2", outcome: "succeeded" },
    );
    expect(status(done)).toBe("finished passed");
    expect(attempt(done, { type: "cancel", by: "ada" })).toBe("build.wrong-state");
  });
  test("does not go on when the deployment was rolled back or overtaken", () => {
    const asked = run(published, { type: "request-deploy", step: "to-test", request: "r1" });
    const back = run(asked, { type: "deployment-finished", request: "r1", outcome: "rolled-back" });
    expect(shown(back)).toMatchObject({ "to-test": "failed", gate: "broken", "to-production": "broken" });
    expect(status(back)).toBe("finished failed");
    const overtaken = run(asked, { type: "deployment-finished", request: "r1", outcome: "superseded" });
    expect(shown(overtaken)).toMatchObject({ "to-test": "superseded", gate: "broken" });
    expect(status(overtaken)).toBe("finished canceled");
  });
  test("hears the end of a deployment twice without harm", () => {
    expect(run(tested, { type: "deployment-finished", request: "r1", outcome: "failed" })).toEqual(tested);
    expect(run(tested, { type: "deployment-finished", request: "unknown", outcome: "failed" })).toEqual(tested);
  });
  test("never repeats a deployment by itself, but for a person who says so", () => {
    const failed = run(
      published,
      { type: "request-deploy", step: "to-test", request: "r1" },
      { type: "deployment-finished", request: "r1", outcome: "failed" },
    );
    expect(intents(failed)).toEqual([]);
    expect(attempt(failed, { type: "retry-failed", by: "ada" })).toBe("build.wrong-state");
    const again = run(failed, { type: "retry", step: "to-test", by: "ada" });
    expect(intents(again)).toMatchObject([{ type: "request-deploy", id: "deploy:to-test:2", actor: "ada" }]);
    expect(attempt(again, { type: "request-deploy", step: "to-test", request: "r1" })).toBe("conflict");
    expect(shown(again)).toMatchObject({ gate: "waiting", "to-production": "waiting" });
  });
});

describe("failures", () => {
  const parallel =
    "steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n  - wait\n  - { key: c, command: c }";
  test("break what depends on them at once, while the rest goes on", () => {
    const state = work(start(parallel), "a", "failed");
    expect(shown(state)).toEqual({ a: "failed", b: "runnable", wait: "broken", c: "broken" });
    expect(status(state)).toBe("failing");
    expect(status(work(state, "b"))).toBe("finished failed");
  });
  test("are tried again by hand with all they broke, and the build opens again", () => {
    const failed = work(work(start(parallel), "a", "failed"), "b");
    expect(attempt(failed, { type: "retry", step: "c", by: "ada" })).toBe("build.wrong-state");
    const again = run(failed, { type: "retry-failed", by: "ada" });
    expect(shown(again)).toEqual({ a: "runnable", b: "passed", wait: "waiting", c: "waiting" });
    expect(status(work(work(again, "a"), "c"))).toBe("finished passed");
  });
  test("may be soft, for every or for one exit status", () => {
    const steps =
      "steps:\n  - { key: a, command: a, soft_fail: [{ exit_status: 3 }] }\n  - wait\n  - { key: b, command: b, soft_fail: true }";
    const soft = work(start(steps), "a", "failed", 3);
    expect(shown(soft)).toMatchObject({ a: "soft-failed", b: "runnable" });
    expect(status(work(soft, "b", "timed-out"))).toBe("finished passed");
    expect(shown(work(start(steps), "a", "failed", 1))).toMatchObject({ a: "failed", b: "broken" });
  });
  test("may be excused by whoever knows more of it, and are not tried again then", () => {
    const steps =
      "steps:\n  - { key: a, command: a, retry: { automatic: true } }\n  - wait\n  - { key: b, command: b }";
    const held = run(start(steps), { type: "lease", step: "a", token: "excused", agent: "a1" });
    const finish = { type: "finish", step: "a", token: "excused", outcome: "failed", exitStatus: 1 } as const;
    const soft = run(held, { ...finish, excuse: "it is in quarantine" });
    expect(shown(soft)).toMatchObject({ a: "soft-failed", b: "runnable" });
    expect(soft.steps["a"]?.status).toMatchObject({ reason: "it is in quarantine", exitStatus: 1 });
    expect(shown(run(held, finish))).toMatchObject({ a: "runnable" });
  });
  test("let `continue_on_failure` and `allow_failure` go on, and the build is red all the same", () => {
    const steps =
      "steps:\n  - { key: a, command: a }\n  - { wait: ~, continue_on_failure: true }\n  - { key: b, command: b }\n  - { key: c, command: c, depends_on: [{ step: a, allow_failure: true }] }";
    const state = work(start(steps), "a", "failed");
    expect(shown(state)).toMatchObject({ b: "runnable", c: "runnable" });
    expect(status(work(work(state, "b"), "c"))).toBe("finished failed");
  });
  test("that are tried again make what did not mind them wait once more, unless it has begun", () => {
    const steps =
      "steps:\n  - { key: a, command: a }\n  - { wait: ~, continue_on_failure: true }\n  - { key: b, command: b }\n  - { key: c, command: c, depends_on: [{ step: a, allow_failure: true }] }";
    const failed = work(start(steps), "a", "failed");
    const begun = run(
      failed,
      { type: "lease", step: "c", token: "c1", agent: "a1" },
      { type: "retry", step: "a", by: "ada" },
    );
    expect(shown(begun)).toMatchObject({ a: "runnable", wait: "waiting", b: "waiting", c: "leased" });
    const ready = run(failed, { type: "retry", step: "a", by: "ada" });
    expect(shown(ready)).toMatchObject({ a: "runnable", c: "waiting" });
  });
  test("stop the steps that do not want to run in a failing build", () => {
    const state = start(
      "steps:\n  - { key: a, command: a }\n  - { key: b, command: b, cancel_on_build_failing: true }\n  - { key: c, command: c, cancel_on_build_failing: true }",
    );
    const failed = work(run(state, { type: "lease", step: "b", token: "tb", agent: "a2" }), "a", "failed");
    expect(shown(failed)).toEqual({ a: "failed", b: "canceling", c: "canceled" });
    expect(intents(failed)).toEqual([{ type: "stop", id: "stop:tb", step: "b", token: "tb", agent: "a2" }]);
    expect(status(run(failed, { type: "finish", step: "b", token: "tb", outcome: "failed" }))).toBe("finished failed");
  });
  test("are tried again by the first rule that matches, as often as it says", () => {
    const steps =
      "steps:\n  - { key: a, command: a, retry: { automatic: [{ exit_status: 2, limit: 1 }, { exit_status: '*', limit: 2 }] } }";
    const once = work(start(steps), "a", "failed", 2);
    expect(shown(once)).toEqual({ a: "runnable" });
    expect(shown(work(once, "a", "failed", 2))).toEqual({ a: "failed" });
    expect(shown(work(work(work(start(steps), "a", "failed", 1), "a", "timed-out"), "a", "failed", 1))).toEqual({
      a: "failed",
    });
  });
  test("may not be tried again where the step forbids it", () => {
    const state = start("steps:\n  - { key: a, command: a, retry: { manual: { allowed: false, reason: not safe } } }");
    expect(decide(work(state, "a", "failed"), { type: "retry", step: "a", by: "ada", at })).toMatchObject({
      message: "`a` may not be tried again: not safe",
    });
  });
});

describe("leases", () => {
  const leased = run(start("steps: [{ key: a, command: a }]"), { type: "lease", step: "a", token: "t", agent: "a1" });
  test("a job is leased once, and a token is used once", () => {
    expect(attempt(leased, { type: "lease", step: "a", token: "u", agent: "a2" })).toBe("build.wrong-state");
    const lost = run(leased, { type: "lease-expired", step: "a", token: "t" });
    expect(attempt(lost, { type: "lease", step: "a", token: "t", agent: "a2" })).toBe("conflict");
  });
  test("a stale token is refused, whatever it says", () => {
    const lost = run(
      leased,
      { type: "lease-expired", step: "a", token: "t" },
      { type: "lease", step: "a", token: "u", agent: "a2" },
    );
    expect(attempt(lost, { type: "start", step: "a", token: "t" })).toBe("lease.stale");
    expect(attempt(lost, { type: "finish", step: "a", token: "t", outcome: "passed" })).toBe("lease.stale");
    expect(attempt(lost, { type: "finish", step: "nope", token: "t", outcome: "passed" })).toBe("lease.stale");
  });
  test("saying the same twice changes nothing", () => {
    const running = run(leased, { type: "start", step: "a", token: "t" });
    expect(run(running, { type: "start", step: "a", token: "t" })).toEqual(running);
    const done = run(running, { type: "finish", step: "a", token: "t", outcome: "passed" });
    expect(run(done, { type: "finish", step: "a", token: "t", outcome: "passed" })).toEqual(done);
    expect(attempt(done, { type: "finish", step: "a", token: "t", outcome: "failed" })).toBe("lease.stale");
  });
  test("lost agents cost new attempts up to a limit, and then the job fails", () => {
    let state = leased;
    const lose = (now: BuildState) =>
      run(now, { type: "lease-expired", step: "a", token: now.steps["a"]?.attempts.at(-1)?.token ?? "" });
    for (let loss = 1; loss <= maximumLosses; loss++)
      state = run(lose(state), { type: "lease", step: "a", token: `t${loss}`, agent: "a1" });
    state = lose(state);
    expect(shown(state)).toEqual({ a: "failed" });
    expect(state.steps["a"]?.attempts.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: maximumLosses + 1 }, () => "lost"),
    );
    expect(run(state, { type: "lease-expired", step: "a", token: "t" })).toEqual(state);
  });
  test("the outputs of a publish step stay with its attempt", () => {
    const state = run(start("steps: [{ key: p, publish: . }]"), { type: "lease", step: "p", token: "t", agent: "a" });
    const done = run(state, {
      type: "finish",
      step: "p",
      token: "t",
      outcome: "passed",
      outputs: { digest: "sha256:1" },
    });
    expect(done.steps["p"]?.attempts[0]).toMatchObject({ outcome: "passed", outputs: { digest: "sha256:1" } });
  });
});

describe("canceling", () => {
  test("ends what waits, stops what runs, and ends when all have stopped", () => {
    const state = run(
      start("steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n  - wait\n  - { key: c, command: c }"),
      { type: "lease", step: "a", token: "t", agent: "a1" },
    );
    const canceled = run(state, { type: "cancel", by: "ada", reason: "wrong branch" });
    expect(shown(canceled)).toEqual({ a: "canceling", b: "canceled", wait: "canceled", c: "canceled" });
    expect(status(canceled)).toBe("canceling");
    expect(waits(canceled, "a")).toEqual(["for the agent a1 to stop it"]);
    expect(attempt(canceled, { type: "start", step: "a", token: "t" })).toBe("build.wrong-state");
    expect(run(canceled, { type: "cancel", by: "eve" })).toEqual(canceled);
    for (const end of [
      { type: "finish", step: "a", token: "t", outcome: "canceled" },
      { type: "lease-expired", step: "a", token: "t" },
    ] as const) {
      const ended = run(canceled, end);
      expect([status(ended), shown(ended)["a"]]).toEqual(["finished canceled", "canceled"]);
      expect(attempt(ended, { type: "retry", step: "a", by: "ada" })).toBe("build.wrong-state");
    }
  });
  test("calls a deployment off and believes what became of it", () => {
    const asked = run(work(work(start(flow), "unit"), "image"), {
      type: "request-deploy",
      step: "to-test",
      request: "r1",
    });
    const canceled = run(asked, { type: "cancel", by: "ada" });
    expect(intents(canceled)).toEqual([
      { type: "cancel-deploy", id: "cancel-deploy:r1", step: "to-test", request: "r1" },
    ]);
    const done = run(canceled, { type: "deployment-finished", request: "r1", outcome: "succeeded" });
    expect([shown(done)["to-test"], status(done)]).toEqual(["passed", "finished canceled"]);
  });
  test("closes a gate for good", () => {
    const state = run(start("steps: [{ key: g, block: Go }, { key: a, command: a }]"), { type: "cancel", by: "ada" });
    expect(attempt(state, { type: "unblock", step: "g", user: "lea", role: "lead" })).toBe("build.wrong-state");
  });
});

describe("what is skipped", () => {
  test("counts as done, and hands on what it waited for", () => {
    const state = start("steps:\n  - { key: g, block: Go }\n  - { wait: ~, if: 'false' }\n  - { key: a, command: a }");
    expect(shown(state)).toEqual({ g: "blocked", wait: "skipped", a: "waiting" });
  });
  test("a build in which everything is skipped has passed", () => {
    expect(status(start("steps: [{ command: a, skip: true }]"))).toBe("finished passed");
  });
});

test("reasons look through `wait` and name all that is open", () => {
  const state = start(
    "steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n  - wait\n  - { key: c, command: c }",
  );
  expect(waits(state, "c")).toEqual(["for a, b"]);
  expect(waits(state, "a")).toEqual(["for a free agent"]);
  expect(renderWaitReason({ kind: "no-agent", tags: { queue: "gpu" } })).toBe(
    "for an agent with queue=gpu; none is connected",
  );
});

test("commands on steps that are not there are refused", () => {
  const state = start("steps: [{ key: a, command: a }, { key: g, block: Go }]");
  for (const step of ["nope", "__proto__", "constructor"]) {
    expect(attempt(state, { type: "lease", step, token: "t", agent: "a" })).toBe("not-found");
    expect(attempt(state, { type: "retry", step, by: "ada" })).toBe("not-found");
    expect(attempt(state, { type: "unblock", step, user: "ada", role: "lead" })).toBe("not-found");
    expect(attempt(state, { type: "request-deploy", step, request: "r" })).toBe("not-found");
  }
  expect(attempt(state, { type: "lease", step: "g", token: "t", agent: "a" })).toBe("build.wrong-state");
  expect(attempt(state, { type: "retry", step: "a", by: "ada" })).toBe("build.wrong-state");
});

test("a build at its gates is seen as the worst of them says, and only while nothing else goes on", () => {
  const gates = `
steps:
  - { key: unit, command: make }
  - { key: one, block: One, depends_on: [] }
  - { key: two, block: Two, blocked_state: running, depends_on: [] }
  - { key: three, block: Three, blocked_state: failed, depends_on: [] }
`;
  expect(buildStatus(start(gates))).toEqual({ state: "scheduled" });
  const open = (state: BuildState, step: string) => run(state, { type: "unblock", step, user: "lea", role: "lead" });
  const blocked = work(start(gates), "unit");
  expect(buildStatus(blocked)).toEqual({ state: "blocked", blockedState: "failed" });
  const second = open(blocked, "three");
  expect(buildStatus(second)).toEqual({ state: "blocked", blockedState: "running" });
  expect(buildStatus(open(second, "two"))).toEqual({ state: "blocked", blockedState: "passed" });
});

test("a result of another build serves only a step that has a key for it, and whoever tries it again makes it run", () => {
  const plain = start("steps:\n  - { key: unit, command: make, inputs: a }\n  - wait\n  - { key: after, command: x }");
  const reuse = {
    type: "reuse",
    step: "unit",
    token: "r1",
    of: { build: "b", number: 7, job: "j", attempt: 2 },
  } as const;
  expect(attempt(plain, reuse)).toBe("build.wrong-state");
  const steps = plain.plan.steps.map((step) => (step.key === "unit" ? { ...step, reuseKey: "k" } : step));
  const keyed: BuildState = { ...plain, plan: { ...plain.plan, steps } };
  const reused = run(keyed, reuse);
  expect(shown(reused)).toEqual({ unit: "passed", wait: "passed", after: "runnable" });
  expect(reused.steps["unit"]).toMatchObject({
    status: { reason: "reused from build #7", exitStatus: 0 },
    attempts: [{ number: 1, outcome: "passed", reused: { number: 7, attempt: 2 } }],
  });
  const again = run(reused, { type: "retry", step: "unit", by: "ada" });
  expect(shown(again)).toEqual({ unit: "runnable", wait: "waiting", after: "waiting" });
  expect(attempt(again, { ...reuse, token: "r2" })).toBe("build.wrong-state");
  expect(shown(work(again, "unit"))).toMatchObject({ unit: "passed", after: "runnable" });
});

test("whom an upload tells is told of the build beside others, once, and never more than fifty", () => {
  const state = run(
    start("notify: [{ webhook: 'https://one.example' }]\nsteps: [{ key: make, command: make }]"),
    { type: "lease", step: "make", token: "n1", agent: "a1" },
    { type: "start", step: "make", token: "n1" },
  );
  const toldAt = (...names: string[]) => names.map((name) => ({ kind: "webhook", config: `https://${name}.example` }));
  const upload = { type: "upload" as const, step: "make", token: "n1", steps: [] };
  const both = run(state, { ...upload, upload: "u1", notify: toldAt("one", "two") });
  expect(both.plan.notify?.map(({ config }) => config)).toEqual(["https://one.example", "https://two.example"]);
  expect(run(both, { ...upload, upload: "u2", notify: toldAt("two", "one") }).plan.notify).toHaveLength(2);
  const many = toldAt(...Array.from({ length: 49 }, (_, at) => String(at)));
  expect(attempt(both, { ...upload, upload: "u3", notify: many })).toBe("limit.reached");
});
