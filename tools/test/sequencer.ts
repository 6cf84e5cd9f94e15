import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take minutes, the longest first: begun late, one of them would have the end of a stage for itself. */
const longest = [
  ...["modules/deployments/kill", "modules/deployments/every-step", "modules/contracts/clients"],
  ...["runtime/swarm/runtime.docker", "modules/deployments/cluster.docker", "examples/fleet.docker"],
  ...["10_web/web", "02_kill/server", "05_watch_and_rollback/order", "06_command_line/story", "03_bad_input/limits"],
  ...["07_pipelines", "09_agents", "02_kill/postgres"],
];

/** Those first, then by their paths. Vitest would begin with the largest files, and the shortest are the longest tests. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const found = longest.findIndex((part) => moduleId.includes(part));
  return found < 0 ? longest.length : found;
}
