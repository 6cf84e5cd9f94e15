/** Does what an intent asks and says what came of it. Only a lost database makes it throw. */
import { type CallOptions, exitWords, RuntimeError } from "#drivers/runtime/contract.ts";
import { renderBacking } from "#stack/render-stack.ts";
import type { Stack } from "#stack/stack.ts";
import type { Observation } from "../core/observation.ts";
import { healthyWithin } from "../core/decide.ts";
import { migrationName } from "../core/instance-names.ts";
import { type Intent, intentOf } from "../core/intents.ts";
import { deploymentStore } from "../store.ts";
import { ensureBacking } from "./backing.ts";
import { firstTrouble, look, measure, runPrevious } from "./look.ts";
import { verify } from "./verify.ts";
import { containerOf, evenly, instancesOf, pullImage, removeAll, runAndPlace, stopSome, tailOf } from "./instances.ts";
import { plan } from "./plan.ts";
import { type Answer, answerTo, mask, type PlannedWork, withTail, type Work, type World } from "./step.ts";
import { readValues, readVariables } from "./values.ts";

export interface Performed {
  observation: Observation;
  /** Rendered by the step `plan`. */
  stack?: Stack;
}

export async function perform(world: World, work: Work, signal: AbortSignal): Promise<Performed> {
  const intent = intentOf(work.rollout);
  const { phase } = work.rollout;
  const done = await answer(world, work, { intent, signal }).catch((error: unknown) => {
    world.log.debug({ err: error, deployment: work.id, phase }, "a step is tried again or has failed");
    return { answer: answerTo(error) };
  });
  const at = world.clock.now().toISOString();
  return { ...done, observation: { ...(await masked(world, work, done.answer)), phase, at } };
}

interface Task {
  intent: Intent | undefined;
  signal: AbortSignal;
}

async function answer(world: World, work: Work, { intent, signal }: Task): Promise<{ answer: Answer; stack?: Stack }> {
  if (intent?.type === "plan") return plan(world, work);
  if (!intent || !isPlanned(work)) throw new Error(`deployment ${work.id} has no plan`);
  return { answer: await act(world, work, { intent, signal }) };
}

function isPlanned(work: Work): work is PlannedWork {
  return work.stack !== null && work.rollout.target !== undefined;
}

interface Act {
  intent: Exclude<Intent, { type: "plan" }>;
  signal: AbortSignal;
}

async function act(world: World, work: PlannedWork, { intent, signal }: Act): Promise<Answer> {
  const { routing } = world;
  switch (intent.type) {
    case "prepare":
      return prepare(world, work, signal);
    case "pull":
      await deploymentStore(world.db).insertPulledImage({
        image: work.stack.image,
        service: work.service,
        digest: work.digest ?? "",
      });
      await pullImage(world, work.stack, { signal, deadlineMs: work.rollout.limits.pull });
      return { type: "done" };
    case "migrate":
      return migrate(world, work, { signal, deadlineMs: work.rollout.limits.migrate });
    case "start":
      await runAndPlace(world, work, { names: intent.instances, call: { signal } });
      return { type: "done" };
    case "probe":
      return probe(world, work, intent.instances);
    case "shift":
      return shift(world, work, intent);
    case "look":
      return look(world, work, intent);
    case "restore":
      return restore(world, work, { instances: intent.instances, signal });
    case "end":
      return endSome(world, work, intent.instances);
    case "verify":
      return verify(world, work, intent.instances);
    case "keep":
      return keep(world, work, intent);
    case "drain":
      return (await routing.sessions(intent.instances)) === 0 ? { type: "done" } : { type: "pending" };
    // remove
    default:
      return remove(world, work, intent);
  }
}

async function prepare(world: World, { stack }: PlannedWork, signal: AbortSignal): Promise<Answer> {
  await world.runtime.ensureNetwork(stack.environment, { signal });
  // As the environment says now: a deployment that was taken up late must not bring back what was changed meanwhile.
  const environment = await world.fleet.environment(stack.environment);
  const names = new Set(stack.backing.map(({ name }) => name));
  const specs = environment ? renderBacking(environment).filter(({ name }) => names.has(name)) : stack.backing;
  const missing = await Promise.all(specs.map((spec) => ensureBacking(world, spec, signal)));
  const detail = missing.find((each) => each !== undefined);
  return detail === undefined ? { type: "done" } : { type: "pending", detail };
}

async function migrate(world: World, work: PlannedWork, call: CallOptions): Promise<Answer> {
  const { migrate: command } = work.stack.rollout;
  if (!command) return { type: "done" };
  const container = containerOf(work, migrationName(work), await readVariables(world.fleet, work.stack));
  const result = await world.runtime.runOnce({ ...container, command }, call).catch((error: unknown) => {
    const late = error instanceof RuntimeError && error.code === "deadline" && !call.signal?.aborted;
    if (!late) throw error;
    return { exitCode: undefined, oomKilled: false, tail: error.tail };
  });
  const { exitCode, oomKilled, tail } = result;
  if (exitCode === 0) return { type: "done" };
  const ended = exitCode === undefined ? "took too long" : `ended with ${exitWords(exitCode)}`;
  const why = oomKilled ? "ran out of memory" : ended;
  return { type: "failed", reason: withTail(`the migration ${why}`, tail) };
}

async function probe(world: World, work: PlannedWork, names: readonly string[]): Promise<Answer> {
  const present = await instancesOf(world, work.id);
  const crashed = await firstTrouble(world, present, names);
  if (crashed) return { type: "failed", reason: crashed };
  const health = await world.routing.health(names);
  const sick = names.find((name) => health[name]?.health !== "up");
  if (sick === undefined) return { type: "done" };
  const detail = `${sick} is not healthy: ${health[sick]?.detail ?? "no check has ended yet"}`;
  const limit = healthyWithin(work.rollout);
  if (world.clock.now().getTime() - Date.parse(work.rollout.since) < limit) return { type: "pending", detail };
  const instance = present.find(({ name }) => name === sick);
  const tail = instance ? await tailOf(world, instance.id) : [];
  return { type: "failed", reason: withTail(`${detail}, after ${Math.round(limit / 1000)} s`, tail) };
}

async function shift(world: World, work: PlannedWork, intent: Extract<Intent, { type: "shift" }>): Promise<Answer> {
  // How long requests take is read only for a comparison: reading it is a matter of thousands of lines.
  const compared = work.rollout.target.layouts.some(({ stay }) => stay !== undefined);
  const before = intent.measure ? await measure(world, work, compared) : undefined;
  await world.routing.shift(work, intent.weights);
  return before ? { type: "swapped", look: before } : { type: "done" };
}

async function endSome(world: World, work: PlannedWork, names: readonly string[]): Promise<Answer> {
  const cut = await world.routing.sessions(names);
  await world.routing.release(names);
  await stopSome(world, work.stack, names);
  return { type: "stopped", cut };
}

async function keep(world: World, work: PlannedWork, intent: Extract<Intent, { type: "keep" }>): Promise<Answer> {
  if (intent.end.length > 0) await endSome(world, work, intent.end);
  await runAndPlace(world, work, { names: intent.instances, call: {} });
  await world.routing.shift(work, evenly(intent.instances));
  return { type: "done" };
}

async function restore(
  world: World,
  { rollout }: PlannedWork,
  { instances, signal }: { instances: readonly string[]; signal: AbortSignal },
): Promise<Answer> {
  await runPrevious(world, rollout.target, { names: instances, call: { signal } });
  const health = await world.routing.health(instances);
  const sick = instances.find((name) => health[name]?.health !== "up");
  if (sick === undefined) return { type: "done" };
  return { type: "pending", detail: `${sick} is not healthy: ${health[sick]?.detail ?? "no check has ended yet"}` };
}

async function remove(world: World, work: PlannedWork, intent: Extract<Intent, { type: "remove" }>): Promise<Answer> {
  const cut = await world.routing.sessions(intent.instances);
  await world.routing.release(intent.instances);
  const graceMs = work.stack.rollout.stopGraceMs;
  const { previous, migrate: migrated } = work.rollout.target;
  if (intent.of === "this") await removeAll(world, work.id, { graceMs });
  if (intent.of === "previous" && migrated) await removeAll(world, work.id, { graceMs, kind: "job" });
  if (intent.of === "previous" && previous) await removeAll(world, previous, { graceMs });
  return { type: "stopped", cut };
}

async function masked(world: World, { stack }: Work, given: Answer): Promise<Answer> {
  if (given.type !== "failed" || !given.reason.includes("\n") || !stack) return given;
  const { secrets, passwords } = await readValues(world.fleet, stack);
  const values = [...Object.values(secrets), ...Object.values(passwords)];
  return { ...given, reason: mask(given.reason.split("\n"), values).join("\n") };
}
