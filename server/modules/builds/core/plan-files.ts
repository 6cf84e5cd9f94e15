/** From the files of one revision to a plan, or to all that is wrong with them. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { defaultPipeline } from "#pipeline/default-pipeline.ts";
import { type Fault, type Parsed, refuseFaults } from "#pipeline/fault.ts";
import { type Manifest, parseManifest } from "#pipeline/manifest.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { type Plan, planPipeline } from "#pipeline/plan.ts";
import { inFolder, manifestName, type RepositoryService } from "#pipeline/services.ts";
import type { Pipeline } from "#pipeline/step.ts";
import { planServices } from "#pipeline/plan-services.ts";

export interface BuildFiles {
  /** Where the service stands; empty: the whole repository. */
  folder: string;
  /** What is wrong with the place of the service among others. */
  placeFaults: Fault[];
  /** Services that stand in folders of the repository, where the build is of the whole of it. */
  services: readonly RepositoryService[];

  /** Undefined: the default pipeline serves. */
  pipeline: { file: string; text: string } | undefined;
  /** Text of `towline.yml`, if the revision has one. */
  manifest: string | undefined;
  /** Whether there is a `compose.test.yml` for the default pipeline to test with. */
  hasComposeTest: boolean;
  /** Whether pull requests get environments, for which the default pipeline then makes images. */
  previews: boolean;
}

export interface PlannedFiles {
  plan: Plan;
  manifest: Manifest | undefined;
  warnings: Fault[];
}

/** `unchanged`: folders of services that need no build. */
export function planFiles(
  files: BuildFiles,
  context: BuildContext,
  unchanged: ReadonlySet<string> = new Set(),
): PlannedFiles | Refusal {
  const pipeline = readPipeline(files, context);
  const manifest = readManifest(files);
  // All faults of both files at once: nobody should push twice to learn of the second.
  const ofManifest = [...files.placeFaults, ...(manifest?.errors ?? [])];
  const faults = [...ofManifest, ...(pipeline.errors ?? [])];
  if (faults.length > 0) return refuseFaults(ofManifest.length > 0 ? "manifest.invalid" : "pipeline.invalid", faults);
  if (!pipeline.value) throw new Error("a parsed pipeline has neither a value nor errors");
  const missing = missingManifest(pipeline.value, manifest?.value);
  if (isRefusal(missing)) return missing;
  const warnings = [...(manifest?.warnings ?? []), ...pipeline.warnings];
  const plan = planPipeline(pipeline.value, context);
  const services = planServices(files.services, { context, unchanged, taken: plan.steps.map(({ key }) => key) });
  return { plan: { ...plan, steps: [...plan.steps, ...services] }, manifest: manifest?.value, warnings };
}

function readManifest({ folder, manifest }: BuildFiles): Parsed<Manifest> | undefined {
  return manifest === undefined ? undefined : parseManifest(manifest, inFolder(folder, manifestName));
}

/** The service, and the environments that its pipeline deploys to, in the order of the file; none where it has faults. */
export function servingPlaces(files: BuildFiles, context: BuildContext): { service: string; environments: string[] } {
  const steps = readPipeline(files, context).value?.steps ?? [];
  const environments = steps.flatMap((step) => (step.kind === "deploy" ? [step.environment] : []));
  return { service: readManifest(files)?.value?.service ?? "", environments };
}

function readPipeline(
  { pipeline, hasComposeTest, services, previews }: BuildFiles,
  context: BuildContext,
): Parsed<Pipeline> {
  if (!pipeline && services.length > 0) return { value: noSteps, warnings: [] };
  if (!pipeline) return { value: defaultPipeline(hasComposeTest, previews), warnings: [] };
  return parsePipeline({ ...pipeline, variables: buildVariables(context) });
}

/** Of a repository with several services that has no pipeline for the whole of it. */
const noSteps: Pipeline = { file: "services", env: {}, steps: [], notify: [] };

/** Only what makes or deploys an image needs to know the service. */
function missingManifest({ file, steps }: Pipeline, manifest: Manifest | undefined): Refusal | undefined {
  const needing = steps.find(({ kind }) => kind === "publish" || kind === "deploy");
  if (manifest || !needing) return undefined;
  return refuse("manifest.missing", `the ${needing.kind} step of ${file} needs a towline.yml, and there is none`, {
    place: needing.place,
    fix: "Add a towline.yml with `service` and `http.port`, or a pipeline without publish and deploy.",
  });
}
