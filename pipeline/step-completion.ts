/** Fills in what a checked step leaves out. */
import type { Place } from "#api/errors.ts";
import type { WrittenCommon, WrittenStep, WrittenWork } from "./step-shape.ts";
import type { Retry, RetryRule, Step, StepKind, WorkStep } from "./step.ts";

type Completions = { [K in StepKind]: (written: WrittenStep<K>, place: Place) => Step & { kind: K } };

/** One entry a kind, so that a new kind does not compile without one. */
const completions: Completions = {
  command: (written, place) => {
    const commands = [written.command, written.commands, written.script].flatMap((lines) => lines ?? []);
    return { kind: "command", ...completeWork(written, place, commands[0]?.split("\n")[0] ?? "command"), commands };
  },
  test: (written, place) => {
    const { compose, run, junit } = written.test;
    const test = { compose, run, ...(junit === undefined ? {} : { junit }) };
    return { kind: "test", ...completeWork(written, place, `test ${run}`), ...test };
  },
  publish: (written, place) => {
    const { context, dockerfile, args = {} } = written.publish;
    const image = {
      ...(context === undefined ? {} : { context }),
      ...(dockerfile === undefined ? {} : { dockerfile }),
      args,
    };
    return { kind: "publish", ...completeWork(written, place, "publish"), ...image };
  },
  deploy: (written, place) => {
    const retry = { automatic: [], manual: completeManual(written.retry?.manual) };
    return {
      kind: "deploy",
      ...completeCommon(written, place, `deploy ${written.deploy}`),
      environment: written.deploy,
      retry,
    };
  },
  block: (written, place) => {
    const common = completeCommon(written, place, written.block ?? written.manual ?? "block");
    const { prompt, allowed_roles: roles = [] } = written;
    return { kind: "block", ...common, ...(prompt === undefined ? {} : { prompt }), roles };
  },
  wait: (written, place) => {
    return {
      kind: "wait",
      ...completeCommon(written, place, "wait"),
      continueOnFailure: written.continue_on_failure ?? false,
    };
  },
};

/** `written` must have passed the shape of this kind. */
export function completeStep<K extends StepKind>(kind: K, written: WrittenStep<K>, place: Place): Step {
  return completions[kind](written, place);
}

type Common = Pick<
  Step,
  "key" | "label" | "place" | "dependsOn" | "allowDependencyFailure" | "if" | "branches" | "skip"
>;

function completeCommon(written: WrittenCommon, place: Place, fallback: string): Common {
  const { depends_on: dependsOn, branches, skip } = written;
  const dependencies = dependsOn?.map(({ step, allow_failure: allowFailure = false }) => ({ step, allowFailure }));
  return {
    key: written.key ?? written.id ?? written.identifier ?? "",
    label: written.label ?? written.name ?? fallback,
    place,
    ...(dependencies ? { dependsOn: dependencies } : {}),
    allowDependencyFailure: written.allow_dependency_failure ?? false,
    ...(written.if === undefined ? {} : { if: written.if }),
    ...(branches ? { branches: branches.join(" ") } : {}),
    ...(skip === undefined || skip === false ? {} : { skip: skip === true ? "" : skip }),
  };
}

function completeWork(written: WrittenWork, place: Place, fallback: string): WorkStep {
  const { timeout_in_minutes: minutes, image } = written;
  return {
    ...completeCommon(written, place, fallback),
    env: written.env ?? {},
    ...(minutes === undefined ? {} : { timeoutMs: Math.round(minutes * 60_000) }),
    softFail: completeSoftFail(written.soft_fail ?? false),
    retry: completeRetry(written.retry),
    ...(image === undefined ? {} : { image }),
    agents: written.agents ?? {},
    artifactPaths: (written.artifact_paths ?? []).flatMap((paths) => paths.split(";")).filter((path) => path !== ""),
    cancelOnBuildFailing: written.cancel_on_build_failing ?? false,
  };
}

function completeSoftFail(written: NonNullable<WrittenWork["soft_fail"]>): boolean | number[] {
  if (typeof written === "boolean") return written;
  const statuses = written.map((rule) => rule.exit_status);
  return statuses.includes("*") ? true : statuses.filter((status) => status !== "*");
}

function completeRetry(written: WrittenWork["retry"]): Retry {
  const { automatic = [], manual } = written ?? {};
  const rules =
    typeof automatic === "boolean" ? (automatic ? [{}] : []) : Array.isArray(automatic) ? automatic : [automatic];
  return { automatic: rules.map(completeRule), manual: completeManual(manual) };
}

function completeRule(rule: { exit_status?: "*" | number[] | undefined; limit?: number | undefined }): RetryRule {
  return { exitStatus: rule.exit_status ?? "*", limit: rule.limit ?? 2 };
}

function completeManual(written: NonNullable<WrittenWork["retry"]>["manual"]): Retry["manual"] {
  if (written === undefined || typeof written === "boolean") return { allowed: written ?? true };
  return { allowed: written.allowed ?? true, ...(written.reason === undefined ? {} : { reason: written.reason }) };
}
