/** Fills in what a checked step leaves out that runs on an agent. */
import type { Place } from "#api/errors.ts";
import { completeCommon } from "./common-completion.ts";
import type { WrittenWork } from "./step-shape.ts";
import type { Cache, Concurrency, Notification, Retry, RetryRule, WorkStep } from "./step.ts";

export function completeWork(written: WrittenWork, place: Place, fallback: string): WorkStep {
  const { image, inputs, cache } = written;
  const minutes = written.timeout_in_minutes ?? written.timeout;
  const artifactPaths = written.artifact_paths ?? written.artifacts ?? [];
  return {
    ...completeCommon(written, place, fallback),
    env: written.env ?? {},
    ...(minutes === undefined ? {} : { timeoutMs: Math.round(minutes * 60_000) }),
    softFail: completeSoftFail(written.soft_fail ?? false),
    retry: completeRetry(written.retry),
    ...(image === undefined ? {} : { image }),
    agents: { ...written.agent_query_rules, ...written.agents },
    artifactPaths: artifactPaths.flatMap((paths) => paths.split(";")).filter((path) => path !== ""),
    cancelOnBuildFailing: written.cancel_on_build_failing ?? false,
    ...(written.priority === undefined ? {} : { priority: written.priority }),
    ...completeConcurrency(written),
    plugins: [...(written.plugins ?? []), ...(written.plugin ?? [])],
    ...(cache ? { cache: completeCache(cache) } : {}),
    ...(inputs ? { inputs: { files: inputs.files, exclude: inputs.exclude ?? [], env: inputs.env ?? [] } } : {}),
    secrets: written.secrets ?? {},
    notify: completeNotify(written.notify),
  };
}

export function completeSoftFail(written: NonNullable<WrittenWork["soft_fail"]>): boolean | number[] {
  if (typeof written === "boolean") return written;
  const statuses = written.map((rule) => rule.exit_status);
  return statuses.includes("*") ? true : statuses.filter((status) => status !== "*");
}

/** Both keys are there, or neither; `step-rules.ts` sees to it. */
export function completeConcurrency(
  written: Pick<WrittenWork, "concurrency" | "concurrency_group" | "concurrency_method">,
): { concurrency?: Concurrency } {
  const { concurrency: limit, concurrency_group: group, concurrency_method: method = "ordered" } = written;
  return limit === undefined || group === undefined ? {} : { concurrency: { group, limit, method } };
}

export function completeNotify(written: WrittenWork["notify"]): Notification[] {
  return (written ?? []).map(({ kind, config, if: condition }) => ({
    kind,
    config,
    ...(condition === undefined ? {} : { if: condition }),
  }));
}

/** Without a key the paths are the key, so that the steps that name the same share it. */
export function completeCache({
  paths,
  key,
  name,
  restore_keys: restoreKeys = [],
  size,
}: NonNullable<WrittenWork["cache"]>): Cache {
  return { paths, key: key ?? name ?? paths.join(" "), restoreKeys, ...(size === undefined ? {} : { size }) };
}

type WrittenRetry = NonNullable<WrittenWork["retry"]>;

function completeRetry(written: WrittenWork["retry"]): Retry {
  const { automatic = [], manual } = written ?? {};
  const rules =
    typeof automatic === "boolean" ? (automatic ? [{}] : []) : Array.isArray(automatic) ? automatic : [automatic];
  return { automatic: rules.map(completeRule), manual: completeManual(manual) };
}

type WrittenRule = Exclude<NonNullable<WrittenRetry["automatic"]>, boolean | unknown[]>;

function completeRule({ exit_status: exitStatus, limit, signal, signal_reason: reason }: WrittenRule): RetryRule {
  return {
    exitStatus: exitStatus ?? "*",
    ...(signal === undefined ? {} : { signal }),
    ...(reason === undefined ? {} : { signalReason: reason }),
    limit: limit ?? 2,
  };
}

export function completeManual(written: WrittenRetry["manual"]): Retry["manual"] {
  if (written === undefined || typeof written === "boolean") return { allowed: written ?? true, permitOnPassed: true };
  const { allowed = true, reason, permit_on_passed: permitOnPassed = true } = written;
  return { allowed, ...(reason === undefined ? {} : { reason }), permitOnPassed };
}
