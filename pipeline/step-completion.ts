/** Fills in what a checked step leaves out. */
import type { Place } from "#api/errors.ts";
import { completeCommon } from "./common-completion.ts";
import { completeForm } from "./form-completion.ts";
import type { WrittenStep } from "./step-shape.ts";
import type { Step, StepKind } from "./step.ts";
import { completeConcurrency, completeManual, completeSoftFail, completeWork } from "./work-completion.ts";

type Completions = { [K in StepKind]: (written: WrittenStep<K>, place: Place) => Step & { kind: K } };

/** One entry a kind, so that a new kind does not compile without one. */
const completions: Completions = {
  command: (written, place) => {
    const commands = [written.command, written.commands, written.script].flatMap((lines) => lines ?? []);
    const fallback = commands[0]?.split("\n")[0] ?? written.plugins?.[0]?.source ?? "command";
    return { kind: "command", ...completeWork(written, place, fallback), commands };
  },
  test: (written, place) => {
    const { compose, run, junit, pacts, verify } = written.test;
    const test = {
      ...{ compose, run },
      ...(junit === undefined ? {} : { junit }),
      ...(pacts === undefined ? {} : { pacts }),
      ...(verify === undefined ? {} : { verify }),
    };
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
  deploy: (written, place) => ({
    kind: "deploy",
    ...completeCommon(written, place, `deploy ${written.deploy}`),
    environment: written.deploy,
    retry: { automatic: [], manual: { ...completeManual(written.retry?.manual), permitOnPassed: false } },
    ...completeConcurrency(written),
  }),
  trigger: (written, place) => {
    const { message, branch, commit, env = {}, meta_data: metaData = {} } = written.build ?? {};
    const revision = { ...(branch === undefined ? {} : { branch }), ...(commit === undefined ? {} : { commit }) };
    return {
      kind: "trigger",
      ...completeCommon(written, place, `trigger ${written.trigger}`),
      pipeline: written.trigger,
      async: written.async ?? false,
      build: { ...(message === undefined ? {} : { message }), ...revision, env, metaData },
      softFail: completeSoftFail(written.soft_fail ?? false),
      ...completeConcurrency(written),
    };
  },
  block: (written, place) => ({
    kind: "block",
    ...completeCommon(written, place, written.block ?? written.manual ?? "block"),
    ...completeForm(written),
    blockedState: written.blocked_state ?? "passed",
  }),
  input: (written, place) => ({
    kind: "input",
    ...completeCommon(written, place, written.input ?? "input"),
    ...completeForm(written),
  }),
  wait: (written, place) => ({
    kind: "wait",
    ...completeCommon(written, place, "wait"),
    continueOnFailure: written.continue_on_failure ?? false,
  }),
  unknown: (written, place) => ({ kind: "unknown", ...completeCommon(written, place, "unknown step") }),
};

/** `written` must have passed the shape of this kind. */
export function completeStep<K extends StepKind>(kind: K, written: WrittenStep<K>, place: Place): Step {
  return completions[kind](written, place);
}
