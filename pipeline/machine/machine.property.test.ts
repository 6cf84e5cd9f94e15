/** Random pipelines under random commands, most of them senseless: what must hold whatever happens. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { lintPipeline } from "../lint.ts";
import { planPipeline } from "../plan.ts";
import type { BlockStep, DeployStep, Pipeline, Retry, Step, WorkStep } from "../step.ts";
import { apply, replay } from "./apply.ts";
import type { Command } from "./command.ts";
import { decide } from "./decide.ts";
import type { BuildEvent } from "./event.ts";
import { intents } from "./intents.ts";
import { startBuild } from "./start.ts";
import type { BuildState } from "./state.ts";
import { buildStatus } from "./status.ts";
import { waitReasons } from "./wait-reason.ts";

const at = "2026-01-01T00:00:00Z";
const place = { file: "p.yml", line: 1, column: 1 };

interface Draft {
  kind: Step["kind"];
  dependsOn: { back: number; allowFailure: boolean }[] | undefined;
  isSkipped: boolean;
  isSoft: boolean;
  limit: number;
  flag: boolean;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom<Step["kind"]>(
    "command",
    "command",
    "test",
    "publish",
    "deploy",
    "deploy",
    "block",
    "block",
    "wait",
  ),
  dependsOn: fc.option(
    fc.array(fc.record({ back: fc.integer({ min: 1, max: 5 }), allowFailure: fc.boolean() }), { maxLength: 3 }),
    { nil: undefined, freq: 2 },
  ),
  isSkipped: fc.integer({ min: 0, max: 6 }).map((dice) => dice === 0),
  isSoft: fc.boolean(),
  limit: fc.integer({ min: 0, max: 2 }),
  flag: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
});

function toStep({ kind, dependsOn, isSkipped, isSoft, limit, flag }: Draft, index: number): Step {
  const edges = dependsOn
    ?.filter(({ back }) => back <= index + 1)
    .map(({ back, allowFailure }) => ({ step: `s${index + 1 - back}`, allowFailure }));
  const base = {
    key: `s${index + 1}`,
    step: `s${index + 1}`,
    label: `s${index + 1}`,
    place,
    allowDependencyFailure: false,
    ...(edges ? { dependsOn: edges } : {}),
    ...(isSkipped ? { skip: "" } : {}),
  };
  const retry: Retry = {
    automatic: limit > 0 ? [{ exitStatus: "*", limit }] : [],
    manual: { allowed: true, permitOnPassed: false },
  };
  const work: WorkStep = {
    ...base,
    env: {},
    softFail: isSoft,
    retry,
    agents: {},
    artifactPaths: [],
    cancelOnBuildFailing: flag,
    priority: 0,
    plugins: [],
    secrets: {},
    notify: [],
  };
  if (kind === "command") return { kind, ...work, commands: ["x"] };
  if (kind === "test") return { kind, ...work, compose: "c.yml", run: "x" };
  if (kind === "publish") return { kind, ...work, args: {} };
  if (kind === "deploy")
    return { kind, ...base, environment: "test", retry: { ...retry, automatic: [] } } satisfies DeployStep;
  if (kind === "block")
    return { kind, ...base, roles: flag ? ["lead"] : [], fields: [], blockedState: "passed" } satisfies BlockStep;
  return { kind: "wait", ...base, continueOnFailure: flag };
}

const firstPublish = toStep(
  { kind: "publish", dependsOn: undefined, isSkipped: false, isSoft: false, limit: 0, flag: false },
  -1,
);

const pipeline: fc.Arbitrary<Pipeline> = fc
  .array(draft, { maxLength: 9 })
  .map((drafts): Pipeline => ({ file: "p.yml", env: {}, steps: [firstPublish, ...drafts.map(toStep)], notify: [] }))
  .filter((candidate) => lintPipeline(candidate).length === 0);

/** Numbers that choose the kind, step and token of a command. */
const dice = fc.record({ kind: fc.integer({ min: 0, max: 99 }), pick: fc.nat(1000), coin: fc.boolean() });
type Dice = typeof dice extends fc.Arbitrary<infer T> ? T : never;

interface World {
  state: BuildState;
  history: BuildEvent[];
  tokens: number;
}

function someCommand(world: World, { kind, pick, coin }: Dice): Command {
  const { state } = world;
  const active = Object.values(state.steps).filter(
    ({ status }) => status.state !== "waiting" && status.state !== "finished",
  );
  const keys = coin && active.length > 0 ? active.map(({ key }) => key) : Object.keys(state.steps);
  const step = keys[pick % keys.length] ?? "";
  const used = Object.values(state.steps).flatMap(({ attempts }) => attempts.map(({ token }) => token));
  const own = state.steps[step]?.attempts.at(-1)?.token;
  const token = (coin ? own : used[pick % (used.length || 1)]) ?? "never";
  const fresh = coin || pick % 5 > 0 ? `token-${++world.tokens}` : token;
  const outcomes = ["passed", "passed", "failed", "timed-out", "canceled"] as const;
  const ends = ["succeeded", "succeeded", "rolled-back", "failed", "canceled", "superseded"] as const;
  if (kind < 25) return { type: "lease", step, token: fresh, agent: `a${pick % 3}`, at };
  if (kind < 35) return { type: "start", step, token, at };
  if (kind < 55)
    return {
      type: "finish",
      step,
      token,
      outcome: outcomes[pick % outcomes.length] ?? "passed",
      exitStatus: pick % 3,
      at,
    };
  if (kind < 62) return { type: "lease-expired", step, token, at };
  if (kind < 72) return { type: "request-deploy", step, request: fresh, at };
  if (kind < 82)
    return { type: "deployment-finished", request: token, outcome: ends[pick % ends.length] ?? "failed", at };
  if (kind < 92) return { type: "unblock", step, user: "lea", role: coin ? "lead" : "viewer", at };
  if (kind < 96) return { type: "retry", step, by: "ada", at };
  return kind < 99 ? { type: "retry-failed", by: "ada", at } : { type: "cancel", by: "ada", at };
}

/** Does a command and checks every rule; the events it caused. */
function act(world: World, command: Command): BuildEvent[] {
  const before = world.state;
  const decided = decide(before, command);
  if (isRefusal(decided)) return [];
  world.state = decided.reduce(apply, before);
  world.history.push(...decided);
  checkBeginnings(before, decided);
  checkFence(before, command, decided);
  checkState(world.state);
  return decided;
}

/** Nothing begins before all it waits for is done, and no deployment before the gates above it were opened. */
function checkBeginnings(before: BuildState, events: readonly BuildEvent[]): void {
  for (const event of events) {
    if (event.type !== "step-leased" && event.type !== "deploy-requested") continue;
    const { steps } = before.plan;
    const index = steps.findIndex(({ key }) => key === event.step);
    for (const { key, allowFailure } of steps[index]?.dependsOn ?? []) {
      const status = before.steps[key]?.status;
      const isDone =
        status?.state === "finished" && (allowFailure || ["passed", "soft-failed", "skipped"].includes(status.outcome));
      expect(isDone, `${event.step} began before ${key}`).toBe(true);
    }
    expect(before.cancel, "nothing begins in a canceled build").toBeUndefined();
    if (event.type === "deploy-requested") checkGates(before, index);
  }
}

/** Whoever changes a job or a deployment holds the token of the attempt that goes on. */
function checkFence(before: BuildState, command: Command, events: readonly BuildEvent[]): void {
  if (events.length === 0 || command.type === "lease") return;
  const token =
    "token" in command ? command.token : command.type === "deployment-finished" ? command.request : undefined;
  if (token === undefined) return;
  const open = Object.values(before.steps).filter(
    ({ attempts }) => attempts.at(-1)?.token === token && attempts.at(-1)?.outcome === undefined,
  );
  expect(open.length, `${command.type} with a stale token changed something`).toBe(1);
  if ("step" in command) expect(open[0]?.key).toBe(command.step);
}

function checkGates({ plan, steps }: BuildState, index: number): void {
  const gates = plan.steps.slice(0, index).filter((step) => step.kind === "block" && !step.skipped);
  const line = gates.filter((gate) => gate === gates.at(-1) || !pipelineDependsOn.get(gate.key));
  for (const { key } of line) {
    const status = steps[key]?.status;
    expect(status?.state === "finished" && status.by, `the gate ${key} was not opened`).toBe("lea");
  }
}

/** Which steps of the pipeline under test have their own `depends_on`; set for each run. */
let pipelineDependsOn = new Map<string, boolean>();

const held = new Set(["leased", "running", "requested", "canceling"]);

function checkState(state: BuildState): void {
  const steps = Object.values(state.steps);
  for (const { key, status, attempts } of steps) {
    const open = attempts.filter(({ outcome }) => outcome === undefined);
    expect(open.length, `${key} is ${status.state}`).toBe(held.has(status.state) ? 1 : 0);
    expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1));
    const failed =
      state.plan.steps.find((step) => step.key === key)?.dependsOn.filter((edge) => isFailed(state, edge)) ?? [];
    const isReady = status.state === "runnable" || status.state === "blocked";
    expect(isReady && hasPending(state, key), `${key} is ready before its time`).toBe(false);
    const isBroken = status.state === "finished" && status.outcome === "broken";
    expect(!isBroken || failed.length > 0, `${key} is broken by something`).toBe(true);
    const isWaiting = status.state !== "finished" && status.state !== "leased" && status.state !== "running";
    expect(waitReasons(state, key).length > 0, `${key} is ${status.state} and says why`).toBe(isWaiting);
  }
  const tokens = steps.flatMap(({ attempts }) => attempts.map(({ token }) => token));
  expect(new Set(tokens).size, "every token is used once").toBe(tokens.length);
  const isFinished = buildStatus(state).state === "finished";
  expect(state.closed).toBe(isFinished);
  const canMove = steps.some(({ status }) => status.state !== "finished" && status.state !== "waiting");
  expect(canMove || isFinished, "the build hangs").toBe(true);
  expect(new Set(intents(state).map(({ id }) => id)).size).toBe(intents(state).length);
}

function hasPending({ plan, steps }: BuildState, key: string): boolean {
  const { dependsOn = [] } = plan.steps.find((step) => step.key === key) ?? {};
  return dependsOn.some((edge) => steps[edge.key]?.status.state !== "finished");
}

function isFailed({ steps }: BuildState, { key, allowFailure }: { key: string; allowFailure: boolean }): boolean {
  const status = steps[key]?.status;
  return (
    status?.state === "finished" && !allowFailure && !["passed", "soft-failed", "skipped"].includes(status.outcome)
  );
}

/** What a well-behaved world does next; gates last, so that whatever can slip past one does. */
function nextStep(world: World): Command | undefined {
  for (const { key: step, status, attempts } of Object.values(world.state.steps)) {
    const { token = "", agent } = attempts.at(-1) ?? {};
    if (status.state === "requested" || (status.state === "canceling" && !agent))
      return { type: "deployment-finished", request: token, outcome: "succeeded", at };
    if (status.state === "leased") return { type: "start", step, token, at };
    if (status.state === "running" || status.state === "canceling")
      return { type: "finish", step, token, outcome: "passed", at };
  }
  const intent = intents(world.state)[0];
  if (intent?.type === "offer")
    return { type: "lease", step: intent.step, token: `token-${++world.tokens}`, agent: "a", at };
  if (intent?.type === "request-deploy")
    return { type: "request-deploy", step: intent.step, request: `token-${++world.tokens}`, at };
  const gate = Object.values(world.state.steps).find(({ status }) => status.state === "blocked");
  return gate && { type: "unblock", step: gate.key, user: "lea", role: "lead", at };
}

function begin(of: Pipeline): World {
  pipelineDependsOn = new Map(of.steps.map((step) => [step.key, step.dependsOn !== undefined]));
  const context = {
    build: { number: 1, branch: "main", commit: "", message: "", source: "push" as const, env: {} },
    pipeline: { slug: "s", defaultBranch: "main" },
  };
  const { state, events } = startBuild(planPipeline(of, context), { at });
  checkState(state);
  return { state, history: [...events], tokens: 0 };
}

test("no job runs twice under one token, no gate is passed, no build hangs, and replay gives the same state", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 80 }), (of, rolls) => {
      const world = begin(of);
      for (const roll of rolls) act(world, someCommand(world, roll));
      expect(replay(world.history)).toEqual(world.state);
      expect(JSON.parse(JSON.stringify(world.state))).toEqual(world.state);
      expect(intents(JSON.parse(JSON.stringify(world.state)) as BuildState)).toEqual(intents(world.state));
      const starts = world.history
        .filter(({ type }) => type === "step-started")
        .map((event) => ("token" in event ? event.token : ""));
      expect(new Set(starts).size, "a token starts once").toBe(starts.length);
    }),
    { numRuns: 300 },
  );
});

test("whatever happened before, a world that behaves brings every build to its end", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 40 }), (of, rolls) => {
      const world = begin(of);
      for (const roll of rolls) act(world, someCommand(world, roll));
      const most = of.steps.length * 4 + 1;
      let done = 0;
      for (let next = nextStep(world); next && done <= most; next = nextStep(world)) {
        expect(act(world, next).length, `${next.type} changes something`).toBeGreaterThan(0);
        done++;
      }
      expect(buildStatus(world.state).state).toBe("finished");
    }),
    { numRuns: 300 },
  );
});

test("every command may be said twice: the second time changes nothing or is refused", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 40 }), (of, rolls) => {
      const world = begin(of);
      for (const roll of rolls) {
        const command = someCommand(world, roll);
        act(world, command);
        const after = world.state;
        // A person who retries twice does it twice.
        if (command.type !== "retry" && command.type !== "retry-failed") act(world, command);
        expect(world.state).toEqual(after);
      }
    }),
    { numRuns: 150 },
  );
});
