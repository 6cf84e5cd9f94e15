import type { BuildContext } from "#pipeline/build-context.ts";
import { type PlannedStep, planPipeline } from "#pipeline/plan.ts";
import { renderRunReason, renderSkipReason } from "#pipeline/skips.ts";
import { localContext, type PlanFlags } from "../local-build.ts";
import { readLocalPipeline } from "../local-pipeline.ts";
import { paint, print, printJson, table } from "../output.ts";

interface PlannedView {
  key: string;
  label: string;
  kind: PlannedStep["kind"];
  step: string;
  group: string | null;
  runs: boolean;
  reason: string;
  dependsOn: PlannedStep["dependsOn"];
}

/** Shows what a build of this folder would do: each step, whether it runs, why, and what it waits for. */
export async function planFile(flags: PlanFlags & { json?: boolean }, file?: string): Promise<void> {
  const context = await localContext(flags);
  const { pipeline, warnings } = await readLocalPipeline(file, context);
  const plan = planPipeline(pipeline, context);
  const written = new Map(pipeline.steps.map((step) => [step.key, step]));
  const steps = plan.steps.map((step): PlannedView => {
    const source = written.get(step.key);
    const ran = source ? renderRunReason(source, context.changedFiles, pipeline.ifChanged) : "";
    return {
      ...{ key: step.key, label: step.label, kind: step.kind, step: step.step, group: step.group?.key ?? null },
      runs: !step.skipped,
      reason: step.skipped ? renderSkipReason(step.skipped) : ran,
      dependsOn: step.dependsOn,
    };
  });
  if (flags.json) return printJson({ file: plan.file, context, steps, warnings });
  print(title(plan.file, context));
  print(table(["STEP", "RUNS", "WHY", "AFTER"], steps.map(row)));
  for (const { place, message } of warnings)
    print(`${paint("yellow", "warning")} ${place.file}:${place.line}:${place.column} ${message}`);
}

function title(file: string, { build, changedFiles }: BuildContext): string {
  const of = build.pullRequest ? `pull request ${build.pullRequest.id} from ${build.branch}` : build.branch;
  const changes = changedFiles ? `${changedFiles.length} changed files` : "changes not known";
  return `${paint("bold", file)}  ${of}${build.tag === undefined ? "" : `, tag ${build.tag}`}, ${changes}`;
}

function row({ key, runs, reason, dependsOn }: PlannedView): string[] {
  const after = dependsOn.map((edge) => (edge.allowFailure ? `${edge.key}?` : edge.key));
  const few = after.length > 4 ? [...after.slice(0, 3), `and ${after.length - 3} more`] : after;
  return [key, runs ? paint("green", "runs") : paint("dim", "skipped"), reason, few.join(", ")];
}
