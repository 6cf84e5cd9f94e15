/**
 * What the language has and a kind of step does not take. A key that would silently do nothing is worse than one that is refused;
 * whoever makes it real takes its name from these lists, and that is all the parser has to know.
 */
import type { StepKind } from "./step.ts";

/** Keys of a kind of step, and why they are none of it; "" where nothing serves them yet. A dot goes into a map, and through a list. */
export type Refused = Readonly<Record<string, string>>;

const plugins = { plugins: "", plugin: "" };

const noJob = "a deployment is no job on an agent";

export const notServedKeys: Record<StepKind | "group", Refused> = {
  command: {},
  test: plugins,
  publish: { inputs: "a release is made of what this very build published", ...plugins, cache: "" },
  deploy: {
    priority: "deployments to an environment go in the order of their commits",
    env: "variables of a service stand in the file of its environment, and go with every deployment there",
    soft_fail: "what stands behind a deployment that failed must not go on",
    timeout_in_minutes: "it may wait for sign-offs for days; how long a rollout may take is said in towline.yml",
    agents: noJob,
    parallelism: "the same release goes to an environment once; use `matrix` for several environments",
    "matrix.adjustments.soft_fail": "what stands behind a deployment that failed must not go on",
    "retry.manual.permit_on_passed": "a deployment that succeeded stands; deploy the release again by its number",
  },
  trigger: {},
  block: {},
  input: {},
  wait: {},
  unknown: {},
  group: {},
};
