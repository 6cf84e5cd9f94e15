/** What every step gets, and the two ways in which one answers. */
import { RefusalError } from "#api/errors.ts";
import { BalancerError } from "#drivers/balancer/contract.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import type { KeyedLock } from "#kernel/keyed-lock.ts";
import type { Stack } from "#stack/stack.ts";
import type { Observation } from "../core/observation.ts";
import type { Rollout, Target } from "../core/rollout.ts";
import type { DeploymentsDeps, Timing } from "../deps.ts";
import type { DeploymentRow } from "../store.ts";
import type { Reading } from "./measure.ts";

export interface World extends DeploymentsDeps {
  timing: Timing;
  /** Held while a backing service is looked after. */
  backings: KeyedLock;
  /** What was last found to run otherwise than it should, by place, so that it is told once. */
  drifts: Map<string, string>;
  /** How what serves was when that was last told, by deployment. */
  healths: Map<string, string>;
  /** How often an instance had ended by itself when that was last told, by its name; told once more after a start. */
  restarts: Map<string, number>;
  /** By deployment, what was read last of its instances: the next reading is compared with it. */
  readings: Map<string, Reading>;
  /** When an instance last could not come in place of one that leaves its machine, by deployment. */
  stuck: Map<string, Date>;
  /** Backing instances that were seen to take connections, so that the next deployment need not wait for a check. */
  provenBackings: Map<string, string>;
  /** Held while a lane starts a deployment or is repaired, which must not meet. */
  lanes: KeyedLock;
  /** People's programs inside of instances that this process runs: who runs each, by its id. */
  programs: Map<string, string>;
  /** Backups and restores at work in this process. */
  works: Map<string, AbortController>;
}

/** A deployment that runs. */
export type Work = DeploymentRow & { release: number; rollout: Rollout };

/** One whose plan is made. */
export type PlannedWork = Work & { stack: Stack; rollout: Rollout & { target: Target } };

/** An observation that has yet to get phase and time. */
export type Answer = Observation extends infer O ? (O extends Observation ? Omit<O, "phase" | "at"> : never) : never;

/** Another try will not help. */
const lasting: readonly string[] = [
  "image-missing",
  "start-failed",
  "name-taken",
  "disk-full",
  "invalid",
  "port-taken",
  "unfit",
] satisfies (RuntimeError["code"] | BalancerError["code"])[];

/** A broken world, as an answer: for good, or worth another try until the phase's time is over. */
export function answerTo(error: unknown): Answer {
  if (!(error instanceof Error)) return { type: "pending", detail: String(error) };
  if (error instanceof RefusalError) return { type: "failed", reason: error.message };
  const coded = error instanceof RuntimeError || error instanceof BalancerError;
  if (!coded || !lasting.includes(error.code)) return { type: "pending", detail: error.message };
  return { type: "failed", reason: withTail(error.message, error instanceof RuntimeError ? error.tail : []) };
}

const tailLines = 15;
const lineLength = 300;

/** A reason with the last lines of output below it. */
export function withTail(reason: string, tail: readonly string[]): string {
  const lines = tail.slice(-tailLines).map((line) => `  ${line.slice(0, lineLength)}`);
  return [reason, ...lines].join("\n");
}

/** Secret values do not leave by way of what an instance wrote. */
export function mask(lines: readonly string[], secrets: readonly string[]): string[] {
  const longestFirst = secrets.filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length);
  return lines.map((line) => longestFirst.reduce((text, secret) => text.replaceAll(secret, "•••"), line));
}
