/** Every step that the state machine has for a strategy, there and back, with something gone at each: the way and the end stay the same. */
import { sql } from "kysely";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { Strategy } from "#stack/stack.ts";
import { type DeploymentsPlace, openDeploymentsPlace, quickTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { mortal } from "#testing/mortal.ts";
import { until } from "#testing/until.ts";
import { decide, evolve } from "./core/decide.ts";
import { type Intent, intentOf } from "./core/intents.ts";
import { layoutsOf } from "./core/layout.ts";
import type { Observation } from "./core/observation.ts";
import { begin, type Rollout, type Target } from "./core/rollout.ts";
import { defaultTiming } from "./deps.ts";

const canary = { kind: "canary" as const, steps: [{ percent: 50, ms: 20, hold: false }] };
const strategies: [written: string, strategy: Strategy][] = [
  ["replace", { kind: "replace" }],
  ["rolling", { kind: "rolling", surge: 1, unavailable: 0 }],
  ["blue-green", { kind: "blue-green" }],
  ["canary, steps: [50%, 20ms]", canary],
];
const gone = ["the control plane", "the engine", "the balancer"] as const;
const ways = ["there", "back"] as const;
const cases = strategies.flatMap(([written, strategy]) =>
  gone.flatMap((what) => ways.map((way) => ({ written, strategy, what, way }))),
);
type Case = (typeof cases)[number];

/** Phases in order, from the machine alone: all goes well, or it is canceled when the last layout is watched. */
function pathOf(strategy: Strategy, way: Case["way"]): string[] {
  const sides = { old: ["a1", "a2"], fresh: ["b1", "b2"] };
  const target: Target = {
    ...{ instances: sides.fresh, old: sides.old, previous: "a", before: "release 1", migrate: false, drainMs: 0 },
    ...{ watchMs: 0, analysis: { errors: 5, slower: 2, requests: 10 }, layouts: layoutsOf(strategy, 0, sides) },
    exclusive: strategy.kind === "replace",
  };
  let state = begin(new Date(0).toISOString(), defaultTiming.limits);
  const path: string[] = [];
  for (let at = 1; state.phase !== "done"; at++) {
    const time = new Date(at * 1000).toISOString();
    if (path.length === 0 || state.since === new Date((at - 1) * 1000).toISOString()) path.push(state.phase);
    const intent = intentOf(state);
    const canceled = way === "back" && state.phase === "watch";
    const input = canceled
      ? ({ type: "cancel", by: "ada", at: time } as const)
      : answer(intent, { state, target, time });
    state = evolve(state, decide(state, input));
  }
  return path;
}

function answer(
  intent: Intent | undefined,
  { state: { phase }, target, time: at }: { state: Rollout; target: Target; time: string },
): Observation {
  const look = { epoch: "e", fresh: {}, old: {} };
  if (intent?.type === "plan") return { phase, at, type: "planned", target };
  if (intent?.type === "look") return { phase, at, type: "looked", look, sessions: 0 };
  if (intent?.type === "shift" && intent.measure) return { phase, at, type: "swapped", look };
  return { phase, at, type: "done" };
}

const timing = { ...quickTiming, limits: defaultTiming.limits, superviseMs: 3_600_000 };
const hourly = 3_600_000;
/** Calls after which what was gone is there again. */
const absence = 3;

interface Struck {
  /** Steps at which something was gone. */
  steps: Set<string>;
  left: number;
}

async function born(place: DeploymentsPlace, what: Case["what"], struck: Struck) {
  const process = mortal(place.database.pool);
  async function strike(): Promise<void> {
    if (struck.left > 0 && --struck.left === 0) Object.assign(place.runtime, { engineDown: false });
    if (struck.left === 0) place.balancer.down = false;
    const step = await stepOf(place);
    if (step === undefined || struck.steps.has(step)) return;
    struck.steps.add(step);
    if (what === "the control plane") return process.dieAt(1);
    struck.left = absence;
    if (what === "the engine") place.runtime.engineDown = true;
    else place.balancer.down = true;
  }
  const wrap = <T extends object>(door: T): T => calling(process.wrap(door), strike);
  const server = await place.server({ db: process.db, wrap, timing, reconcileMs: hourly });
  return { process, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** The same, with something done before every call. */
function calling<T extends object>(door: T, before: () => Promise<void>): T {
  return new Proxy(door, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return async (...all: unknown[]) => {
        await before();
        return (value as (...given: unknown[]) => unknown).apply(target, all);
      };
    },
  });
}

/** The rollout's place on its way; nothing while none is under way. */
async function stepOf({ database }: DeploymentsPlace): Promise<string | undefined> {
  const { rows } = await sql<{ phase: string; rollout: Rollout }>`
    select phase, rollout from deployments where release = 2 and state = 'running'`.execute(database.db);
  const [row] = rows;
  return row && `${row.phase} ${row.rollout.at} ${row.rollout.back?.from ?? ""}`;
}

async function openScene({ written, way }: Case) {
  const place = await openDeploymentsPlace();
  const manifest = `service: orders\nhttp: { port: 8080 }\nrun: { instances: 2 }\nrelease: { drain: 50ms, strategy: ${written} }\n`;
  for (const n of [1, 2]) place.world.manifests.set(commitNumber(n), manifest);
  await using server = await place.server();
  for (const n of [1, 2]) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  if (way === "back") place.world.environments["test"] = "target: docker\nwatch: 1h\n";
  return place;
}

/** Sees a deployment of release 2 to its end, over as many lives as it takes. */
async function seeThrough(place: DeploymentsPlace, { what, way }: Case, struck: Struck) {
  let life = await born(place, what, struck);
  try {
    const wish = { body: { service: "orders", environment: "test", release: 2 } };
    const made = await life.server.call("createDeployment", wish);
    if (isRefusal(made)) throw new Error(made.message);
    const params = { id: made.id };
    let canceled = way === "there";
    await until(
      async () => {
        if (life.process.dead) {
          await life[Symbol.asyncDispose]();
          life = await born(place, what, struck);
        }
        const step = await stepOf(place);
        if (!canceled && step?.startsWith("watch"))
          canceled = await life.server.call("cancelDeployment", { params }).then(
            (answer) => !isRefusal(answer),
            () => false,
          );
        return step === undefined && (await place.events("deployments.deployment-finished")).length > 1;
      },
      { deadlineMs: 60_000, describe: () => [...struck.steps].join(", ") },
    );
    return await life.server.ended(made.id);
  } finally {
    await life[Symbol.asyncDispose]();
  }
}

test.each(cases)("$written, $way, with $what gone at every step: the same way to the same end", async (given) => {
  await using place = await openScene(given);
  const { instances: old } = await place.serving("orders");
  const struck: Struck = { steps: new Set(), left: 0 };
  const ended = await seeThrough(place, given, struck);
  expect(ended.outcome).toBe(given.way === "there" ? "succeeded" : "canceled");
  const path = pathOf(given.strategy, given.way);
  expect(ended.steps.map(({ phase }) => phase)).toEqual(path);
  // A step that needs neither engine nor balancer cannot be struck.
  expect(struck.steps.size).toBeGreaterThan(path.length / 2);
  const fresh = [1, 2].map((index) => `orders-test-r2-${ended.id.slice(0, 8)}-${index}`);
  const stays = (given.way === "there" ? fresh : old).toSorted();
  const { instances, all } = await place.serving("orders");
  expect({ instances: instances.toSorted(), all: all.toSorted() }).toEqual({ instances: stays, all: stays });
});

test.each(strategies)(
  "%s, canceled at every step in turn: what served before serves on, and nothing is left behind",
  async (written, strategy) => {
    await using place = await openScene({ written, strategy, what: "the engine", way: "there" });
    const { instances: old } = await place.serving("orders");
    let at = 0;
    let cancel: (() => Promise<unknown>) | undefined;
    const seen = new Set<string>();
    const wrap = <T extends object>(door: T): T =>
      calling(door, async () => {
        const step = await stepOf(place);
        if (step !== undefined) seen.add(step);
        if (seen.size <= at || !cancel) return;
        const now = cancel;
        cancel = undefined;
        await now();
      });
    await using server = await place.server({ wrap, timing, reconcileMs: hourly });
    for (; ; at++) {
      seen.clear();
      const made = await server.call("createDeployment", {
        body: { service: "orders", environment: "test", release: 2 },
      });
      if (isRefusal(made)) throw new Error(made.message);
      let answered: unknown;
      cancel = async () => (answered = await server.call("cancelDeployment", { params: { id: made.id } }));
      const { outcome } = await server.ended(made.id);
      if (answered === undefined) break;
      expect({ at, outcome }).toEqual({ at, outcome: "canceled" });
      const { instances, all } = await place.serving("orders");
      expect({ at, instances: instances.toSorted(), all: all.toSorted() }).toEqual({
        at,
        instances: old.toSorted(),
        all: old.toSorted(),
      });
    }
    expect(at).toBeGreaterThan(pathOf(strategy, "there").length / 2);
  },
);
