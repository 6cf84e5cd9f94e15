/** `towline pipeline run`: a build of this folder on this machine's Docker, without a server. */
import { join, resolve } from "node:path";
import { usualMemory } from "#agent/containers.ts";
import { isRefusal, type Refusal, refuse } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { newId } from "#kernel/clock.ts";
import { readConfig } from "#kernel/config.ts";
import { createLog } from "#kernel/log.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { chooseSteps } from "#pipeline/choose-steps.ts";
import type { Fault } from "#pipeline/fault.ts";
import { buildStatus } from "#pipeline/machine/status.ts";
import { type Plan, planPipeline } from "#pipeline/plan.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import { baseImage } from "../../tools/base-images/catalogue.ts";
import { renderAnnotations } from "../annotations.ts";
import { repositoryNameOf } from "../local/assign.ts";
import { type LocalEnd, type LocalRun, runLocally } from "../local/local-run.ts";
import { resultsOf, type StepResult } from "../local/results.ts";
import { createView, leftOut } from "../local/view.ts";
import { git, localContext, type PlanFlags } from "../local-build.ts";
import { readLocalPipeline } from "../local-pipeline.ts";
import { accepted, CommandRefused, paint, print, printJson } from "../output.ts";
import { pairsOf, severalOf } from "../pairs.ts";
import { prepareHost } from "../prepare.ts";
import { readCapacity } from "./agent.ts";

interface RunFlags extends PlanFlags {
  step?: string[];
  alone?: boolean;
  env?: string[];
  secret?: string[];
  field?: string[];
  artifacts?: string;
  capacity?: string;
  image: string;
  yes?: boolean;
  json?: boolean;
}

/** Exit status: 0 when it passed, 1 when not, 2 when it stands at a gate that nobody opened. */
export async function runPipeline(flags: RunFlags, file?: string): Promise<void> {
  const top = (await git(".", "rev-parse", "--show-toplevel")) ?? process.cwd();
  const context = await contextOf(flags, top);
  const { pipeline, warnings } = await readLocalPipeline(file, context);
  const plan = accepted(planOf(planPipeline(pipeline, context), flags));
  const secrets = accepted(secretsOf(plan, flags.secret));
  const gates = {
    ...{ given: severalOf("--field", flags.field), openAll: flags.yes ?? false },
    interactive: !flags.json && process.stdin.isTTY && process.stdout.isTTY,
  };
  const view = createView(plan, flags.json ? process.stderr : process.stdout);
  warnings.forEach((warning) => view.say(sentence(warning)));
  leftOut(plan).forEach(view.say);
  const agent = await machineOf(flags);
  const done = accepted(await runLocally({ ...{ top, plan, context, secrets, gates, view }, agent }));
  if (flags.artifacts) await done.records.exportTo(resolve(flags.artifacts));
  tellEnd(done, flags);
}

async function contextOf(flags: RunFlags, top: string): Promise<BuildContext> {
  const context = await localContext(flags);
  const { build, pipeline } = context;
  return {
    ...{ ...context, local: true, pipeline: { ...pipeline, slug: repositoryNameOf(top) } },
    build: { ...build, id: newId(), env: pairsOf("--env", flags.env) },
  };
}

function planOf(plan: Plan, { step: names, alone = false }: RunFlags): Plan | Refusal {
  if (!names && alone) return refuse("request.invalid", "--alone needs --step, which says what is to run");
  const chosen = names ? chooseSteps(plan, { names, alone }) : plan;
  return isRefusal(chosen) ? chosen : (refuseServersPlugins(chosen) ?? chosen);
}

/** Before anything runs: a repository of the server cannot be had without it. */
function refuseServersPlugins({ steps }: Plan): Refusal | undefined {
  for (const step of steps) {
    const plugins = "plugins" in step && !step.skipped ? step.plugins : [];
    const foreign = plugins.find(({ source }) => parsePluginSource(source)?.kind === "repository");
    const fix = "Name it by its address (`https://….git#ref`), or leave the step out with --step.";
    if (foreign)
      return refuse("not-found", `${step.key}: the plugin ${foreign.source} is a repository of the server`, { fix });
  }
  return undefined;
}

/** Values come from the environment alone: everybody on the machine can read arguments. */
function secretsOf({ steps }: Plan, names: readonly string[] = []): Record<string, string> | Refusal {
  const unset = names.find((name) => process.env[name] === undefined);
  if (unset !== undefined) return refuse("request.invalid", `--secret ${unset}: the environment has no ${unset}`);
  const secrets = Object.fromEntries(names.map((name) => [name, process.env[name] ?? ""]));
  for (const step of steps) {
    const named = "secrets" in step && !step.skipped ? Object.values(step.secrets) : [];
    const missing = named.find((name) => !Object.hasOwn(secrets, name));
    const fix = `Set ${missing} in the environment and add --secret ${missing}.`;
    if (missing !== undefined) return refuse("not-found", `${step.key} needs the secret ${missing}`, { fix });
  }
  return secrets;
}

async function machineOf(flags: RunFlags): Promise<LocalRun["agent"]> {
  const config = accepted(readConfig(process.env));
  const ready = await prepareHost(flags, flags.image === baseImage("debian") ? ["debian"] : []);
  return {
    ...{ home: join(config.home, "local"), capacity: readCapacity(flags.capacity), tags: {} },
    ...{ defaultImage: flags.image, diskFloor: config.diskFloor, cacheSize: 10 * 2 ** 30, enginePatienceMs: 60_000 },
    ...{ limits: { memory: usualMemory(), processes: 4096 }, compose: accepted(await openCompose(ready.compose)) },
    ...{ engine: connectEngine(), log: createLog("silent") },
  };
}

function sentence({ place, message }: Fault): string {
  return `${paint("yellow", "warning")} ${place.file}:${place.line}:${place.column} ${message}`;
}

function tellEnd({ end, state, records, tests }: LocalEnd, { json, artifacts: folder }: RunFlags): void {
  const steps = resultsOf(state);
  const waiting = steps.filter(({ outcome }) => outcome === "blocked").map(({ key }) => key);
  const outcome = end === "held" ? "held" : (buildStatus(state).outcome ?? "failed");
  process.exitCode = { passed: 0, failed: 1, canceled: 1, held: 2 }[outcome];
  const annotations = records.annotations();
  const found = records.find({ query: "**", retried: "false" });
  const artifacts = (isRefusal(found) ? [] : found).map(({ id, path, step, size }) => ({
    ...{ path, step, size },
    file: folder ? resolve(folder, path) : records.placeOf(id),
  }));
  const { passed, failed, skipped, failures } = tests;
  const metaData = Object.fromEntries(records.metaData);
  const told = { passed, failed, skipped, failures };
  if (json) return printJson({ outcome, steps, waiting, metaData, annotations, artifacts, tests: told });
  print();
  steps.filter(({ outcome: how }) => how !== "skipped").forEach((step) => print(lineOf(step)));
  if (annotations.length > 0) print(`\n${renderAnnotations(annotations)}`);
  for (const { step, scope, name, message } of failures)
    print(`${paint("red", "✗")} ${step}: ${[scope, name].filter(Boolean).join(" ")}${message ? `: ${message}` : ""}`);
  for (const { path, file } of artifacts) print(`${paint("dim", "artifact")} ${path}  ${file}`);
  if (waiting.length > 0) throw new CommandRefused(held(waiting));
  print(outcome === "passed" ? paint("green", "passed") : paint("red", outcome));
}

function lineOf({ key, outcome, reason, ms, attempts }: StepResult): string {
  const colour = outcome === "passed" ? "green" : outcome === "soft-failed" || outcome === "blocked" ? "yellow" : "red";
  const more = [attempts > 1 ? `${attempts} attempts` : "", reason ?? ""].filter(Boolean).join(", ");
  return `${paint(colour, outcome.padEnd(11))} ${key}  ${(ms / 1000).toFixed(1)} s${more ? `  ${more}` : ""}`;
}

function held(waiting: readonly string[]): Refusal {
  return refuse("build.held", `it stands at ${waiting.join(", ")}, and what comes behind did not run`, {
    fix: "Run it on a terminal, which asks; or with --yes, and --field KEY=value where the defaults are not meant.",
  });
}
