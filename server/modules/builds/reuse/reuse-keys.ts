/** Keys under which results of a build's steps are kept, put into its plan: what a step depends on is read from Git before. */
import { createHash } from "node:crypto";
import type { Log } from "#kernel/log.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import type { Fault } from "#pipeline/fault.ts";
import type { PlannedStep } from "#pipeline/plan.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import { reusable, type TreeFile } from "#pipeline/reuse.ts";
import { seenFrom } from "#pipeline/services.ts";
import type { Source } from "#source";
import type { BuildRow } from "../core/rows.ts";

interface Deps {
  log: Log;
  source: Pick<Source, "tree">;
}

/** The files of the build's commit, where its pipeline has a word that asks for them; undefined: nothing is used again. */
export async function treeFor(
  { log, source }: Deps,
  { repository, commit }: Pick<BuildRow, "repository" | "commit">,
  pipeline: string,
): Promise<TreeFile[] | undefined> {
  if (!pipeline.includes("inputs")) return undefined;
  return source.tree(repository, commit).catch((error: unknown) => {
    log.warn({ err: error, repository, commit }, "the files of a commit could not be listed");
    return undefined;
  });
}

export function withReuseKeys(
  steps: PlannedStep[],
  files: readonly TreeFile[] | undefined,
  { context, folder }: { context: BuildContext; folder: string },
): { steps: PlannedStep[]; warnings: Fault[] } {
  if (!files) return { steps, warnings: [] };
  const { bases, warnings } = reusable(steps, treeFrom(folder, files), buildVariables(context));
  const keyed = steps.map((step) => {
    const basis = folder !== "" && hasVendoredPlugin(step) ? undefined : bases.get(step.key);
    return basis === undefined
      ? step
      : {
          ...step,
          reuseKey: createHash("sha256")
            .update(folder + basis)
            .digest("hex"),
        };
  });
  return { steps: keyed, warnings };
}

/** Its files stand in the checkout, and are not among those that the service's pipeline sees by the same names. */
const hasVendoredPlugin = (step: PlannedStep): boolean =>
  "plugins" in step && step.plugins.some(({ source }) => parsePluginSource(source)?.kind === "vendored");

/** As the pipeline of a service sees it, like what has changed. */
function treeFrom(folder: string, files: readonly TreeFile[]): TreeFile[] {
  const paths = seenFrom(
    folder,
    files.map(({ path }) => path),
  );
  return files.map(({ id }, index) => ({ id, path: paths[index] ?? "" }));
}
