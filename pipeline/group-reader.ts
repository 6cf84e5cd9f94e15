/** One entry of `steps` → jobs: a step, or a group with the steps in it. */
import { completeRules } from "./common-completion.ts";
import type { Fault } from "./fault.ts";
import { type ReadJobs, readJobs } from "./job-reader.ts";
import { normalizeStep } from "./step-form.ts";
import { keyFaults } from "./step-keys.ts";
import { kindOf } from "./step-kind.ts";
import { conditionFaults, globFaults, notificationFaults, notificationWarnings } from "./step-rules.ts";
import { groupShape, maximumSteps } from "./step-shape.ts";
import type { StepGroup } from "./step.ts";
import { type Located, locate } from "./text/located.ts";
import { checkShape } from "./text/shape.ts";

export interface ReadEntry {
  /** Its key is "" where none is written. */
  group?: StepGroup;
  steps: ReadJobs[];
  errors: Fault[];
  warnings: Fault[];
}

export function readEntry(written: Located): ReadEntry {
  const located = normalizeStep(written);
  const found = kindOf(located);
  if ("code" in found) return { steps: [], errors: [found], warnings: [] };
  if (found.kind === "group") return readGroup(located);
  return { steps: [readJobs(located)], errors: [], warnings: [] };
}

function readGroup(located: Located): ReadEntry {
  const keys = keyFaults(located, "group");
  const checked = checkShape(located, groupShape);
  const children = [...(locate(located, ["steps"])?.children?.values() ?? [])];
  const inner = readAll(children);
  const errors = [
    ...keys.errors,
    ...(checked.errors ?? []),
    ...conditionFaults(located, ["if"]),
    ...globFaults(located, ["if_changed"]),
    ...notificationFaults(located),
    ...inner.flatMap((read) => ("code" in read ? [read] : [])),
  ];
  const untold = notificationWarnings(located, false);
  const warnings = [...keys.warnings, ...untold, ...(children.length === 0 ? [emptyGroup(located)] : [])];
  const steps = inner.flatMap((read) => ("code" in read ? [] : [read]));
  if (!checked.value) return { steps, errors, warnings };
  const { key, id, identifier, group: title, label, name, ...rules } = checked.value;
  const { dependsOn, allowDependencyFailure, ...others } = completeRules(rules);
  const group: StepGroup = {
    key: key ?? id ?? identifier ?? "",
    label: title ?? label ?? name ?? "group",
    place: located.place,
    ...(dependsOn ? { dependsOn } : {}),
    allowDependencyFailure,
    ...others,
  };
  return { group, steps, errors, warnings };
}

/** Stops once there are more jobs than a file may have; `pipeline-file.ts` says so. */
function readAll(children: readonly Located[]): (ReadJobs | Fault)[] {
  const inner: (ReadJobs | Fault)[] = [];
  let jobs = 0;
  for (const child of children) {
    if (jobs > maximumSteps) break;
    const read = readInner(child);
    jobs += "code" in read ? 0 : read.jobs.length;
    inner.push(read);
  }
  return inner;
}

function readInner(written: Located): ReadJobs | Fault {
  const located = normalizeStep(written);
  const found = kindOf(located);
  if ("code" in found) return found;
  if (found.kind !== "group") return readJobs(located);
  const message = "a group cannot have groups in it";
  return { code: "pipeline.step-type", message, place: located.place, fix: "put its steps into the outer group" };
}

function emptyGroup({ place }: Located): Fault {
  return { code: "pipeline.no-steps", message: "the group has no steps, and is left out", place, fix: "remove it" };
}
