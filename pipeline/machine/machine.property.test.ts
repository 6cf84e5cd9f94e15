/** Random pipelines under random commands, most of them senseless: what must hold whatever happens. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import {
  at,
  context,
  dice,
  nextStep,
  pipeline,
  someCommand,
  withReuseKeys,
  type World,
} from "#testing/random-build.ts";
import { planPipeline } from "../plan.ts";
import type { Pipeline } from "../step.ts";
import { apply, replay } from "./apply.ts";
import type { Command } from "./command.ts";
import { decide } from "./decide.ts";
import type { BuildEvent } from "./event.ts";
import { intents } from "./intents.ts";
import { startBuild } from "./start.ts";
import type { BuildState } from "./state.ts";
import { buildStatus } from "./status.ts";
import { waitReasons } from "./wait-reason.ts";

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

const beginnings: ReadonlySet<BuildEvent["type"]> = new Set([
  "step-leased",
  "step-reused",
  "deploy-requested",
  "build-requested",
]);

/** Only what tests or makes files, and only the first time: who tries a step again wants it to run. */
function checkReuse({ plan, steps }: BuildState, key: string): void {
  expect(["command", "test"]).toContain(plan.steps.find((step) => step.key === key)?.kind);
  expect(steps[key]).toMatchObject({ attempts: [], status: { state: "runnable" } });
  expect(steps[key]?.retriedBy).toBeUndefined();
}

/** Nothing begins before all it waits for is done, and no deployment before the gates above it were opened. */
function checkBeginnings(before: BuildState, events: readonly BuildEvent[]): void {
  for (const event of events) {
    if (!("step" in event) || !beginnings.has(event.type)) continue;
    if (event.type === "step-reused") checkReuse(before, event.step);
    const { steps } = before.plan;
    const index = steps.findIndex(({ key }) => key === event.step);
    for (const { key, allowFailure } of steps[index]?.dependsOn ?? []) {
      const status = before.steps[key]?.status;
      const isDone =
        status?.state === "finished" && (allowFailure || ["passed", "soft-failed", "skipped"].includes(status.outcome));
      expect(isDone, `${event.step} began before ${key}`).toBe(true);
    }
    expect(before.cancel, "nothing begins in a canceled build").toBeUndefined();
    checkGates(before, event.step);
  }
}

/** Whoever changes a job or a deployment holds the token of the attempt that goes on. */
function checkFence(before: BuildState, command: Command, events: readonly BuildEvent[]): void {
  if (events.length === 0 || command.type === "lease" || command.type === "reuse") return;
  const token =
    "token" in command
      ? command.token
      : command.type === "deployment-finished" || command.type === "triggered-finished"
        ? command.request
        : undefined;
  if (token === undefined) return;
  const open = Object.values(before.steps).filter(
    ({ attempts }) => attempts.at(-1)?.token === token && attempts.at(-1)?.outcome === undefined,
  );
  expect(open.length, `${command.type} with a stale token changed something`).toBe(1);
  if ("step" in command) expect(open[0]?.key).toBe(command.step);
}

/** Every gate before a step that begins was opened by somebody, whichever way leads to it and whatever failures it tolerates. */
function checkGates({ plan, steps }: BuildState, begins: string): void {
  const graph = new Map(plan.steps.map(({ key, dependsOn }) => [key, dependsOn.map((edge) => edge.key)]));
  const seen = new Set<string>();
  const stack = [begins];
  for (let key = stack.pop(); key !== undefined; key = stack.pop()) {
    for (const next of graph.get(key) ?? []) if (!seen.has(next)) stack.push(next);
    seen.add(key);
  }
  for (const { key, kind, skipped } of plan.steps) {
    if (kind !== "block" || skipped || !seen.has(key)) continue;
    const status = steps[key]?.status;
    expect(status?.state === "finished" && status.by, `${begins} began before the gate ${key} was opened`).toBe("lea");
  }
}

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

function begin(of: Pipeline): World {
  const { state, events } = startBuild(withReuseKeys(planPipeline(of, context)), { at });
  checkState(state);
  return { state, history: [...events], tokens: 0 };
}

test("no job runs twice under one token, no gate is passed, no build hangs, and replay gives the same state", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 80, size: "max" }), (of, rolls) => {
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
    { numRuns: 150 },
  );
});

test("whatever happened before, a world that behaves brings every build to its end", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 40, size: "max" }), (of, rolls) => {
      const world = begin(of);
      for (const roll of rolls) act(world, someCommand(world, roll));
      const most = world.state.plan.steps.length * 4 + 1;
      let done = 0;
      for (let next = nextStep(world); next && done <= most; next = nextStep(world)) {
        expect(act(world, next).length, `${next.type} changes something`).toBeGreaterThan(0);
        done++;
      }
      expect(buildStatus(world.state).state).toBe("finished");
    }),
    { numRuns: 150 },
  );
});

test("every command may be said twice: the second time changes nothing or is refused", () => {
  fc.assert(
    fc.property(pipeline, fc.array(dice, { maxLength: 40, size: "max" }), (of, rolls) => {
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
