/** Random pipelines, and random commands for their builds: half of them could be meant, the rest is senseless. */
import fc from "fast-check";
import type { BuildContext } from "#pipeline/build-context.ts";
import { planUpload } from "#pipeline/upload.ts";
import { lintPipeline } from "#pipeline/lint.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { mayReuse } from "#pipeline/machine/decide-reuse.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import { intents } from "#pipeline/machine/intents.ts";
import type { BuildState, StepState } from "#pipeline/machine/state.ts";
import type { Plan, PlannedStep } from "#pipeline/plan.ts";
import type {
  BlockStep,
  DeployStep,
  InputStep,
  Pipeline,
  Retry,
  RetryRule,
  Step,
  TriggerStep,
  WorkStep,
} from "#pipeline/step.ts";

/** Of the build of which all are. */
export const context: BuildContext = {
  build: { number: 1, branch: "main", commit: "", message: "", source: "push", env: {} },
  pipeline: { slug: "s", defaultBranch: "main" },
};

export const at = "2026-01-01T00:00:00Z";
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
    "input",
    "trigger",
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

const field = { kind: "text", key: "name", label: "Name", required: true } as const;

const rules: Record<number, RetryRule[]> = {
  1: [{ exitStatus: "*", limit: 1 }],
  2: [
    { exitStatus: [1], limit: 2 },
    { exitStatus: [-1], signalReason: "agent_lost", limit: 1 },
  ],
};

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
    automatic: rules[limit] ?? [],
    manual: { allowed: true, permitOnPassed: flag },
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
  if (kind === "trigger") {
    const build = { env: {}, metaData: {} };
    return { kind, ...base, pipeline: "other", async: flag, build, softFail: isSoft } satisfies TriggerStep;
  }
  if (kind === "input") return { kind, ...base, roles: [], fields: flag ? [field] : [] } satisfies InputStep;
  if (kind === "block")
    return {
      ...{ kind, ...base, roles: flag ? ["lead"] : [], fields: limit > 1 ? [field] : [], blockedState: "passed" },
    } satisfies BlockStep;
  return { kind: "wait", ...base, continueOnFailure: flag };
}

const firstPublish = toStep(
  { kind: "publish", dependsOn: undefined, isSkipped: false, isSoft: false, limit: 0, flag: false },
  -1,
);

export const pipeline: fc.Arbitrary<Pipeline> = fc
  .array(draft, { maxLength: 9 })
  .map((drafts): Pipeline => ({ file: "p.yml", env: {}, steps: [firstPublish, ...drafts.map(toStep)], notify: [] }))
  .filter((candidate) => lintPipeline(candidate).length === 0);

/** As the server puts them in: some of the steps have a key for results of earlier builds. */
export function withReuseKeys(plan: Plan): Plan {
  const steps = plan.steps.map((step, index) => (index % 2 === 0 ? { ...step, reuseKey: `k${index}` } : step));
  return { ...plan, steps };
}

const reused = { build: "b", number: 1, job: "j", attempt: 1 };

/** Numbers that choose the kind, step and token of a command. */
export const dice = fc.record({ kind: fc.integer({ min: 0, max: 99 }), pick: fc.nat(1000), coin: fc.boolean() });
export type Dice = typeof dice extends fc.Arbitrary<infer T> ? T : never;

export interface World {
  state: BuildState;
  history: BuildEvent[];
  tokens: number;
}

function senseless(world: World, { kind, pick, coin }: Dice): Command {
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
  if (kind < 2) return { type: "update", step, token, target: step, label: `l${pick}`, priority: pick % 3, at };
  if (kind < 5) return { type: "reuse", step, token: fresh, of: reused, at };
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
  if (kind < 60) return { type: "lease-expired", step, token, at };
  if (kind < 65) return { type: "request-deploy", step, request: fresh, at };
  if (kind < 70) return { type: "request-build", step, request: fresh, name: "other #1", at };
  if (kind < 71) return { type: "build-refused", step, reason: "no such branch", at };
  if (kind < 75)
    return { type: "deployment-finished", request: token, outcome: ends[pick % ends.length] ?? "failed", at };
  if (kind < 79)
    return {
      type: "triggered-finished",
      request: token,
      outcome: outcomes3[pick % 3] ?? "failed",
      reason: "other #1",
      at,
    };
  if (kind < 85)
    return {
      ...{ type: "upload", step, token, upload: `upload-${pick % 7}`, replace: pick % 3 === 0, at },
      steps: someSteps(world, pick),
    };
  if (kind < 92)
    return { type: "unblock", step, user: "lea", role: coin ? "lead" : "viewer", answers: answersOf(state, step), at };
  if (kind < 96) return { type: "retry", step, by: "ada", at };
  return kind < 99 ? { type: "retry-failed", by: "ada", at } : { type: "cancel", by: "ada", at };
}

const outcomes3 = ["passed", "failed", "canceled"] as const;

/** A few steps as a job may upload them; they wait for some that are there, for each other, or for what stands above. */
function someSteps({ state }: World, pick: number): PlannedStep[] {
  const known = Object.keys(state.steps);
  const kinds = ["command", "block", "wait", "command", "trigger"] as const;
  const steps = Array.from({ length: pick % 5 }, (_, index): Step => {
    const key = `u${pick % 11}-${index}`;
    const draft = { dependsOn: undefined, isSkipped: pick % 13 === 0, isSoft: pick % 2 === 0, limit: pick % 3 };
    const step = toStep({ kind: kinds[(pick + index) % kinds.length] ?? "command", ...draft, flag: pick % 5 === 0 }, 0);
    const other = { step: known[(pick * 7 + index) % known.length] ?? "", allowFailure: pick % 4 === 1 };
    const before = { step: `u${pick % 11}-${index - 1}`, allowFailure: pick % 3 === 0 };
    const dependsOn = [...(index > 0 ? [before] : []), ...(pick % 2 ? [other] : [])];
    return { ...step, key, step: key, label: key, ...((pick + index) % 3 > 0 ? { dependsOn } : {}) };
  });
  return planUpload(state.plan, { file: "u.yml", env: {}, steps, notify: [] }, context);
}

function answersOf(state: BuildState, key: string): Record<string, string> {
  const planned = state.plan.steps.find((step) => step.key === key);
  return planned && "fields" in planned && planned.fields.length > 0 ? { name: "canal" } : {};
}

/** What the next command could be, from all that the state allows. */
function sensible(world: World, { pick, coin }: Dice): Command | undefined {
  const possible = Object.values(world.state.steps).flatMap((step) => commandsFor(world, step, { pick, coin }));
  return possible[pick % (possible.length || 1)];
}

function commandsFor(
  world: World,
  { key: step, status, attempts }: StepState,
  { pick, coin }: Omit<Dice, "kind">,
): Command[] {
  const { token = "" } = attempts.at(-1) ?? {};
  const planned = world.state.plan.steps.find(({ key }) => key === step);
  const request = `token-${++world.tokens}`;
  const finish = { type: "finish", step, token, exitStatus: coin ? 0 : 1, at } as const;
  if (status.state === "runnable" && planned?.kind === "deploy") return [{ type: "request-deploy", step, request, at }];
  if (status.state === "runnable" && planned?.kind === "trigger")
    return [{ type: "request-build", step, request, name: "other #1", at }];
  if (status.state === "runnable") {
    const lease = { type: "lease", step, token: request, agent: "a", at } as const;
    return mayReuse(world.state, step) ? [lease, { type: "reuse", step, token: request, of: reused, at }] : [lease];
  }
  if (status.state === "leased") return [{ type: "start", step, token, at }];
  if (status.state === "running") {
    const upload = {
      type: "upload",
      step,
      token,
      upload: `upload-${pick}`,
      steps: someSteps(world, pick),
      at,
    } as const;
    return [{ ...finish, outcome: coin ? "passed" : "failed" }, upload, { ...upload, replace: true }];
  }
  if (status.state === "blocked")
    return [{ type: "unblock", step, user: "lea", role: "lead", answers: answersOf(world.state, step), at }];
  return status.state === "finished" && pick % 5 === 0 ? [{ type: "retry", step, by: "ada", at }] : [];
}

export function someCommand(world: World, given: Dice): Command {
  return (given.kind % 2 === 0 && sensible(world, given)) || senseless(world, given);
}

/** What a well-behaved world does next; gates last, so that whatever can slip past one does. */
export function nextStep(world: World): Command | undefined {
  for (const { key: step, status, attempts } of Object.values(world.state.steps)) {
    const { token = "", agent } = attempts.at(-1) ?? {};
    const isTrigger = world.state.plan.steps.some((planned) => planned.key === step && planned.kind === "trigger");
    if (status.state === "requested" || (status.state === "canceling" && !agent))
      return isTrigger
        ? { type: "triggered-finished", request: token, outcome: "passed", reason: "other #1", at }
        : { type: "deployment-finished", request: token, outcome: "succeeded", at };
    if (status.state === "leased") return { type: "start", step, token, at };
    if (status.state === "running" || status.state === "canceling")
      return { type: "finish", step, token, outcome: "passed", at };
  }
  const intent = intents(world.state)[0];
  if (intent?.type === "offer")
    return { type: "lease", step: intent.step, token: `token-${++world.tokens}`, agent: "a", at };
  if (intent?.type === "request-deploy")
    return { type: "request-deploy", step: intent.step, request: `token-${++world.tokens}`, at };
  if (intent?.type === "request-build")
    return { type: "request-build", step: intent.step, request: `token-${++world.tokens}`, name: "other #1", at };
  const gate = Object.values(world.state.steps).find(({ status }) => status.state === "blocked");
  const answers = gate ? answersOf(world.state, gate.key) : {};
  return gate && { type: "unblock", step: gate.key, user: "lea", role: "lead", answers, at };
}
