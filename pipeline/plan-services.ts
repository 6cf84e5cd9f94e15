/** The steps of a build of a repository with several services: one for each, which starts a build of that service alone. */
import type { BuildContext } from "./build-context.ts";
import type { PlannedTrigger } from "./plan.ts";
import { inFolder, manifestName, pathsOf, type RepositoryService } from "./services.ts";

interface Surroundings {
  context: BuildContext;
  /** Folders of services that need no build. */
  unchanged: ReadonlySet<string>;
  /** Keys of the pipeline's own steps. */
  taken: readonly string[];
}

/** They wait for nothing, not even for steps of the repository's own pipeline: a service is built as if it had one to itself. */
export function planServices(
  services: readonly RepositoryService[],
  { context, unchanged, taken }: Surroundings,
): PlannedTrigger[] {
  const keys = new Set(taken);
  const { slug } = context.pipeline;
  return services.map((service) => {
    const { name, folder } = service;
    const key = freeKey(`service:${name}`, keys);
    return {
      ...{ kind: "trigger", key, step: key, label: name, pipeline: `${slug}/${name}`, async: isStarted(context) },
      place: { file: inFolder(folder, manifestName), line: 1, column: 1 },
      ...{ build: { env: {}, metaData: {} }, softFail: false, dependsOn: [], service: { name, folder } },
      ...(unchanged.has(folder) ? { skipped: { kind: "service-unchanged", paths: pathsOf(service) } as const } : {}),
    };
  });
}

/** On the default branch builds wait at gates for days: there they are only started. A trigger step waits for what it asked for. */
function isStarted({ build, pipeline }: BuildContext): boolean {
  return build.branch === pipeline.defaultBranch && build.source !== "trigger";
}

function freeKey(wanted: string, taken: Set<string>): string {
  let key = wanted;
  for (let next = 2; taken.has(key); next++) key = `${wanted}-${next}`;
  taken.add(key);
  return key;
}
