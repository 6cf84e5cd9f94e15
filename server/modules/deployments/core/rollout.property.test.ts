/** The rollout against a model of the world that may fail, hang or be canceled at any moment. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cancel, decide, evolve, type Observation } from "./decide.ts";
import { type Intent, intentOf } from "./intents.ts";
import { begin, type Rollout } from "./rollout.ts";

const limits = { plan: 5, prepare: 5, pull: 5, migrate: 5, start: 5, probe: 5, swap: 5, restore: 5 };

interface World {
  running: Set<string>;
  /** In rotation. */
  ready: Set<string>;
  /** They have a slot. */
  placed: Set<string>;
}

/** What the outside does at one step; a `crash` does the work and forgets the answer. */
const turn = fc.constantFrom("work", "work", "work", "crash", "hang", "fail", "trouble", "cancel");
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

const scene = fc.record({
  old: fc.constantFrom<string[]>([], ["a1"], ["a1", "a2"]),
  migrate: fc.boolean(),
  watchMs: fc.constantFrom(0, 3),
  turns: fc.array(turn, { maxLength: 60 }),
});

const fresh = ["b1", "b2"];

function work(world: World, intent: Intent): void {
  if (intent.type === "start" || intent.type === "restore")
    for (const name of intent.instances) {
      world.running.add(name);
      world.placed.add(name);
    }
  if (intent.type === "shift") {
    for (const name of intent.to) if (!world.placed.has(name)) throw new Error(`${name} has no slot`);
    world.ready = new Set(intent.to);
  }
  if (intent.type === "remove")
    for (const name of intent.instances) {
      if (world.ready.has(name) && world.ready.size > intent.instances.length) throw new Error(`${name} has traffic`);
      world.ready.delete(name);
      world.placed.delete(name);
      world.running.delete(name);
    }
}

function answer(intent: Intent, facts: { at: string; state: Rollout; target: object }): Observation {
  const { at, state } = facts;
  const { phase } = state;
  const tally = { requests: 0, errors: 0 };
  switch (intent.type) {
    case "plan":
      return { phase, at, type: "planned", target: facts.target as NonNullable<Rollout["target"]> };
    case "look":
      return { phase, at, type: "looked", look: { epoch: "e", counted: tally }, sessions: 0 };
    case "remove":
      return { phase, at, type: "stopped", cut: 0 };
    case "shift":
      return intent.measure
        ? { phase, at, type: "swapped", epoch: "e", counted: tally, old: tally }
        : { phase, at, type: "done" };
    default:
      return { phase, at, type: "done" };
  }
}

function observe(intent: Intent, given: Turn, facts: Parameters<typeof answer>[1]): Observation | Cancel {
  const { at, state } = facts;
  const { phase } = state;
  if (given === "cancel") return { type: "cancel", by: "ada", at };
  if (given === "hang") return { phase, at, type: "pending", detail: "it hangs" };
  if (given === "fail") return { phase, at, type: "failed", reason: "it fails" };
  const usual = answer(intent, facts);
  return given === "trouble" && usual.type === "looked" ? { ...usual, trouble: "it crashed" } : usual;
}

type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** Plays a scene to its end; from the last turn on the outside just works. */
function play({ old, migrate, watchMs, turns }: Scene) {
  const world: World = { running: new Set(old), ready: new Set(old), placed: new Set(old) };
  const target = { instances: fresh, old, previous: old.length > 0 ? "a" : null, migrate, drainMs: 2, watchMs };
  let state = begin(new Date(0).toISOString(), limits);
  let steps = 0;
  for (; state.phase !== "done" && steps < 400; steps++) {
    const intent = intentOf(state);
    if (!intent) throw new Error(`nothing to do in ${state.phase}`);
    const given = turns[steps] ?? "work";
    if (["work", "crash", "trouble"].includes(given)) work(world, intent);
    if (old.length > 0) expect(world.ready.size).toBeGreaterThan(0);
    for (const name of world.ready) expect(world.running).toContain(name);
    if (given === "crash") continue;
    const facts = { at: new Date(steps + 1).toISOString(), state, target };
    state = evolve(state, decide(state, observe(intent, given, facts)));
  }
  return { state, world, steps };
}

test("whatever happens: it ends, somebody always serves, and what stays is exactly one side", () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { state, world } = play(given);
      expect(state.phase).toBe("done");
      const stays = [...world.running].toSorted();
      expect([...world.ready].toSorted()).toEqual(stays);
      if (state.outcome === "succeeded") expect(stays).toEqual(fresh);
      if (state.outcome === "rolled-back" || state.outcome === "canceled") expect(stays).toEqual(given.old);
      if (state.outcome === "failed") expect([fresh, given.old]).toContainEqual(stays);
    }),
    { numRuns: 2_000 },
  );
});

test("without failure and cancellation it succeeds, and an answer that comes late changes nothing", () => {
  fc.assert(
    fc.property(scene, (given) => {
      const turns = given.turns.map((each) => (each === "crash" ? "crash" : "work"));
      const { state } = play({ ...given, turns });
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
