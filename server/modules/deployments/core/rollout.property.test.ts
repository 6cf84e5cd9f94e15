/** The rollout against a model of the world that may fail, hang or be canceled at any moment, by every strategy. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Strategy } from "#stack/stack.ts";
import { decide, evolve } from "./decide.ts";
import { type Intent, intentOf } from "./intents.ts";
import { layoutsOf } from "./layout.ts";
import type { Observation, Wish } from "./observation.ts";
import { begin, type Rollout, type Target } from "./rollout.ts";

const five = { plan: 5, prepare: 5, pull: 5, migrate: 5, start: 5, probe: 5, swap: 5, restore: 5 };
const limits = { ...five, end: 5, verify: 5, hold: 40, look: 5, back: 20 };

interface World {
  running: Set<string>;
  /** In rotation, with their share. */
  weights: Map<string, number>;
  /** They have a slot. */
  placed: Set<string>;
}

/** What the outside does at one step; a `crash` does the work and forgets the answer. */
const turn = fc.constantFrom(
  ...(["work", "work", "work", "work", "crash", "hang", "fail", "trouble", "cancel", "pause", "promote"] as const),
);
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

const strategy: fc.Arbitrary<Strategy> = fc.oneof(
  fc.constant<Strategy>({ kind: "replace" }),
  fc.constant<Strategy>({ kind: "blue-green" }),
  fc
    .record({ kind: fc.constant("rolling" as const), surge: fc.nat(3), unavailable: fc.nat(3) })
    .filter(({ surge, unavailable }) => surge + unavailable > 0),
  fc.record({
    kind: fc.constant("canary" as const),
    steps: fc.array(fc.record({ percent: fc.integer({ min: 1, max: 99 }), ms: fc.nat(3), hold: fc.boolean() }), {
      maxLength: 3,
    }),
  }),
);

const names = (prefix: string, most: number, least: number) =>
  fc.integer({ min: least, max: most }).map((count) => Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`));

const scene = fc.record({
  strategy,
  old: names("a", 4, 0),
  fresh: names("b", 4, 1),
  warmUpMs: fc.constantFrom(0, 6),
  migrate: fc.boolean(),
  watchMs: fc.constantFrom(0, 3),
  turns: fc.array(turn, { maxLength: 80 }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function shift(world: World, weights: Record<string, number>): void {
  for (const name of Object.keys(weights)) if (!world.placed.has(name)) throw new Error(`${name} has no slot`);
  world.weights = new Map(Object.entries(weights));
}

function run(world: World, instances: readonly string[]): void {
  for (const name of instances) {
    world.running.add(name);
    world.placed.add(name);
  }
}

function end(world: World, instances: readonly string[]): void {
  for (const name of instances) {
    if (world.weights.has(name) && world.weights.size > instances.length) throw new Error(`${name} has traffic`);
    world.weights.delete(name);
    world.placed.delete(name);
    world.running.delete(name);
  }
}

function work(world: World, intent: Intent): void {
  switch (intent.type) {
    case "start":
    case "restore":
      return run(world, intent.instances);
    case "shift":
      return shift(world, intent.weights);
    case "end":
    case "remove":
      return end(world, intent.instances);
    case "keep":
      end(world, intent.end);
      run(world, intent.instances);
      return shift(world, Object.fromEntries(intent.instances.map((name) => [name, 100])));
    default:
  }
}

interface Facts {
  at: string;
  state: Rollout;
  target: Target;
}

const look = { epoch: "e", fresh: {}, old: {} };

function answer(intent: Intent, { at, state, target }: Facts): Observation {
  const { phase } = state;
  switch (intent.type) {
    case "plan":
      return { phase, at, type: "planned", target };
    case "look":
      return { phase, at, type: "looked", look, sessions: 0 };
    case "end":
    case "remove":
      return { phase, at, type: "stopped", cut: 0 };
    case "shift":
      return intent.measure ? { phase, at, type: "swapped", look } : { phase, at, type: "done" };
    default:
      return { phase, at, type: "done" };
  }
}

function observe(intent: Intent, given: Turn, facts: Facts): Observation | Wish {
  const { at, state } = facts;
  const { phase } = state;
  if (given === "cancel" || given === "pause" || given === "promote") return { type: given, by: "ada", at };
  if (given === "hang") return { phase, at, type: "pending", detail: "it hangs" };
  if (given === "fail") return { phase, at, type: "failed", reason: "it fails" };
  const usual = answer(intent, facts);
  return given === "trouble" && usual.type === "looked" ? { ...usual, trouble: "it crashed" } : usual;
}

/** Fewest instances with traffic that a strategy allows at any time, and most that run. */
function bounds({ strategy: { kind, ...more }, old, fresh }: Scene): { least: number; most: number } {
  if (old.length === 0) return { least: 0, most: fresh.length };
  if (kind === "replace") return { least: 0, most: Math.max(old.length, fresh.length) };
  const { surge = 0, unavailable = 0 } = more as { surge?: number; unavailable?: number };
  if (kind !== "rolling") return { least: Math.min(old.length, fresh.length), most: old.length + fresh.length };
  const least = Math.max(0, Math.min(old.length, fresh.length - unavailable));
  return { least, most: Math.max(old.length, fresh.length + surge) };
}

/** What must hold at every moment. */
function check(world: World, state: Rollout, given: Scene): void {
  const { least, most } = bounds(given);
  expect(world.weights.size).toBeGreaterThanOrEqual(least);
  for (const name of world.weights.keys()) expect([...world.running]).toContain(name);
  for (const weight of world.weights.values()) expect(weight >= 1 && weight <= 256).toBe(true);
  // Old ones that do not come back are beside the new ones for a moment.
  if (state.phase === "keep" || state.phase === "stop") return;
  expect(world.running.size).toBeLessThanOrEqual(most);
  if (given.strategy.kind === "replace")
    expect(new Set([...world.running].map((name) => name[0])).size).toBeLessThanOrEqual(1);
}

/** Plays a scene to its end; from the last turn on the outside just works, and whoever is asked promotes. */
function play(given: Scene) {
  const { old, fresh, migrate, watchMs, turns } = given;
  const world: World = {
    running: new Set(old),
    weights: new Map(old.map((name) => [name, 100])),
    placed: new Set(old),
  };
  const target: Target = {
    ...{ instances: fresh, old, previous: old.length > 0 ? "a" : null, before: "release 1", migrate },
    ...{ drainMs: 2, watchMs, analysis: { errors: 5, slower: 2, requests: 50 } },
    layouts: layoutsOf(given.strategy, given.warmUpMs, { old, fresh }),
    exclusive: given.strategy.kind === "replace",
  };
  let state = begin(new Date(0).toISOString(), limits);
  let steps = 0;
  const visited = new Set<string>();
  for (; state.phase !== "done" && steps < 2_000; steps++) {
    const intent = intentOf(state);
    if (!intent) throw new Error(`nothing to do in ${state.phase}`);
    visited.add(state.phase);
    const turnNow = turns[steps] ?? (state.phase === "hold" ? "promote" : "work");
    if (["work", "crash", "trouble"].includes(turnNow)) work(world, intent);
    check(world, state, given);
    if (turnNow === "crash") continue;
    const facts = { at: new Date(steps + 1).toISOString(), state, target };
    state = evolve(state, decide(state, observe(intent, turnNow, facts)));
  }
  return { state, world, steps, visited };
}

test("whatever happens, by every strategy: it ends, as many serve as are promised, and what stays is exactly one side", () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { state, world } = play(given);
      expect(state.phase).toBe("done");
      const stays = [...world.running].toSorted();
      if (state.reason?.includes("as soon as the host allows it")) return;
      expect([...world.weights.keys()].toSorted()).toEqual(stays);
      if (state.outcome === "succeeded") expect(stays).toEqual(given.fresh);
      if (state.outcome === "rolled-back" || state.outcome === "canceled") expect(stays).toEqual(given.old);
      if (state.outcome === "failed") expect([given.fresh, given.old]).toContainEqual(stays);
    }),
    { numRuns: 3_000 },
  );
});

test("without failure and cancellation it succeeds, and an answer that comes late changes nothing", () => {
  fc.assert(
    fc.property(scene, (given) => {
      const turns = given.turns.map((each) => (each === "crash" || each === "pause" ? each : "work"));
      const quiet = turns.filter((each, at) => each !== "pause" || turns.indexOf("pause") === at);
      const { state } = play({ ...given, turns: quiet.slice(0, 8) });
      expect(state.outcome).toBe("succeeded");
      expect(
        decide(state, { phase: "start", at: new Date(999).toISOString(), type: "failed", reason: "late" }),
      ).toEqual([]);
    }),
  );
});

test("every failure has a reason, and a state survives being written down", () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { state } = play(given);
      if (state.outcome !== "succeeded") expect(state.reason).toBeTruthy();
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }),
  );
});
