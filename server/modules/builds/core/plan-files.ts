/** From the files of one revision to a plan, or to all that is wrong with them. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { defaultPipeline } from "#pipeline/default-pipeline.ts";
import { type Fault, type Parsed, refuseFaults } from "#pipeline/fault.ts";
import { type Manifest, parseManifest } from "#pipeline/manifest.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { type Plan, planPipeline } from "#pipeline/plan.ts";
import type { Pipeline } from "#pipeline/step.ts";

export interface BuildFiles {
  /** Undefined: the default pipeline serves. */
  pipeline: { file: string; text: string } | undefined;
  /** Text of `towline.yml`, if the revision has one. */
  manifest: string | undefined;
  /** Whether there is a `compose.test.yml` for the default pipeline to test with. */
  hasComposeTest: boolean;
}

export interface PlannedFiles {
  plan: Plan;
  manifest: Manifest | undefined;
  warnings: Fault[];
}

export function planFiles(files: BuildFiles, context: BuildContext): PlannedFiles | Refusal {
  const pipeline = readPipeline(files, context);
  const manifest = files.manifest === undefined ? undefined : parseManifest(files.manifest);
  // All faults of both files at once: nobody should push twice to learn of the second.
  const faults = [...(manifest?.errors ?? []), ...(pipeline.errors ?? [])];
  if (faults.length > 0) return refuseFaults(manifest?.errors ? "manifest.invalid" : "pipeline.invalid", faults);
  if (!pipeline.value) throw new Error("a parsed pipeline has neither a value nor errors");
  const missing = missingManifest(pipeline.value, manifest?.value);
  if (isRefusal(missing)) return missing;
  const warnings = [...(manifest?.warnings ?? []), ...pipeline.warnings];
  return { plan: planPipeline(pipeline.value, context), manifest: manifest?.value, warnings };
}

/** Environments that the pipeline deploys to, in the order of the file; none where it has faults. */
export function deployEnvironments(files: BuildFiles, context: BuildContext): string[] {
  const { value } = readPipeline(files, context);
  return (value?.steps ?? []).flatMap((step) => (step.kind === "deploy" ? [step.environment] : []));
}

function readPipeline({ pipeline, hasComposeTest }: BuildFiles, context: BuildContext): Parsed<Pipeline> {
  if (!pipeline) return { value: defaultPipeline(hasComposeTest), warnings: [] };
  return parsePipeline({ ...pipeline, variables: buildVariables(context) });
}

/** Only what makes or deploys an image needs to know the service. */
function missingManifest({ file, steps }: Pipeline, manifest: Manifest | undefined): Refusal | undefined {
  const needing = steps.find(({ kind }) => kind === "publish" || kind === "deploy");
  if (manifest || !needing) return undefined;
  return refuse("manifest.missing", `the ${needing.kind} step of ${file} needs a towline.yml, and there is none`, {
    place: needing.place,
    fix: "Add a towline.yml with `service` and `http.port`, or a pipeline without publish and deploy.",
  });
}
