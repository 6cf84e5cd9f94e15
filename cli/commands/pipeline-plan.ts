import { realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { refuse } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { planServices } from "#pipeline/plan-services.ts";
import { type Plan, type PlannedStep, planPipeline } from "#pipeline/plan.ts";
import { concerns, type RepositoryService } from "#pipeline/services.ts";
import { renderRunReason, renderSkipReason } from "#pipeline/skips.ts";
import { localContext, type PlanFlags } from "../local-build.ts";
import { readLocalPipeline } from "../local-pipeline.ts";
import { localRepository } from "../local-services.ts";
import { CommandRefused, paint, print, printJson, table } from "../output.ts";

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
  const { folder, services } = await placeOf(flags);
  const context = await localContext(flags, folder);
  const below = file === undefined ? services : [];
  const { pipeline, warnings } = await readLocalPipeline(file, context, below.length > 0);
  const own = planPipeline(pipeline, context);
  const plan = { ...own, steps: [...own.steps, ...stepsOf(below, context, own)] };
  const written = new Map(pipeline.steps.map((step) => [step.key, step]));
  const steps = plan.steps.map((step): PlannedView => {
    const source = written.get(step.key);
    const { changedFiles } = context;
    const ran = source ? renderRunReason(source, changedFiles, pipeline.ifChanged) : renderBuildReason(changedFiles);
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

interface Place {
  /** Of the service whose build is planned; empty for the whole repository. */
  folder: string;
  /** Those in folders below, where the build is of the whole repository. */
  services: RepositoryService[];
}

/** Goes to the folder of the service that was named, or stays where the command runs. */
async function placeOf({ service: name }: PlanFlags): Promise<Place> {
  const { top, services } = await localRepository();
  const named = services.find((service) => service.name === name);
  if (name !== undefined && !named)
    throw new CommandRefused(
      refuse("not-found", `there is no service ${name} here`, {
        fix: `There are: ${services.map((service) => service.name).join(", ") || "none"}.`,
      }),
    );
  if (named) process.chdir(join(top, named.folder));
  const folder = relative(top, await realpath(process.cwd()));
  const isOwn = services.some((service) => service.folder === folder && folder !== "");
  const isWhole = folder === "" && services.every((service) => service.folder !== "");
  return { folder: isOwn ? folder : "", services: isWhole ? services : [] };
}

/** One for each service, compared with the same as its steps' `if_changed`. */
function stepsOf(services: readonly RepositoryService[], context: BuildContext, { steps }: Plan): PlannedStep[] {
  const { changedFiles: changed } = context;
  const unchanged = changed ? services.filter((service) => !concerns(service, changed)) : [];
  const taken = steps.map(({ key }) => key);
  return planServices(services, { context, unchanged: new Set(unchanged.map(({ folder }) => folder)), taken });
}

const renderBuildReason = (changed: readonly string[] | undefined): string =>
  changed ? "a file of this service has changed" : "which files have changed is not known";

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
