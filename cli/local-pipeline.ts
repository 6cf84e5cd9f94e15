/** The pipeline of the folder that the command runs in. */
import { refuse } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { defaultPipeline } from "#pipeline/default-pipeline.ts";
import { type Fault, refuseFaults } from "#pipeline/fault.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { pipelineFiles } from "#pipeline/pipeline-names.ts";
import type { Pipeline } from "#pipeline/step.ts";
import { readPipelineText } from "./commands/pipeline-lint.ts";
import { firstThatIs } from "./local-services.ts";
import { CommandRefused } from "./output.ts";

/**
 * The file that is named, else the usual one, else what a repository without a file gets: nothing for the whole of one with several
 * services. Ends the command when it has errors.
 */
export async function readLocalPipeline(
  given: string | undefined,
  context: BuildContext,
  hasServices = false,
): Promise<{ pipeline: Pipeline; warnings: Fault[] }> {
  const file = given ?? (await firstThatIs(pipelineFiles));
  if (file === undefined && hasServices)
    return { pipeline: { file: "services", env: {}, steps: [], notify: [] }, warnings: [] };
  if (file === undefined)
    return { pipeline: defaultPipeline((await firstThatIs(["compose.test.yml"])) !== undefined), warnings: [] };
  const text = await readPipelineText(file);
  if (typeof text !== "string") throw new CommandRefused(refuse("not-found", text.message));
  const { value, errors, warnings } = parsePipeline({ file, text, variables: buildVariables(context) });
  if (errors) throw new CommandRefused(refuseFaults("pipeline.invalid", errors));
  return { pipeline: value, warnings };
}
