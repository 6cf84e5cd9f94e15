import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first: begun late, one of them would have the end of a run for itself. */
export const longest = [
  ...["modules/deployments/kill", "modules/deployments/every-step", "modules/contracts/clients"],
  ...["runtime/swarm/runtime.docker", "modules/deployments/cluster.docker", "examples/fleet.docker"],
  ...["02_kill/server", "05_watch_and_rollback/order", "06_command_line/story", "03_bad_input/limits"],
  ...["07_pipelines", "09_agents", "02_kill/postgres"],
];

/** Takes as long as all that comes before it in its run, beside which it therefore begins. */
const longestOfAll = "10_web/web";

const projects = ["check", "unit", "module", "driver", "e2e", "e2e-alone"];

/**
 * Those first, then by their paths; vitest would begin with the largest files, and the shortest are the longest tests. One project
 * after the other, since a worker can only go on with files of the same.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted(
      (a, b) =>
        Number(isLongestOfAll(b)) - Number(isLongestOfAll(a)) ||
        projects.indexOf(a.project.name) - projects.indexOf(b.project.name) ||
        rank(a) - rank(b) ||
        (a.moduleId < b.moduleId ? -1 : 1),
    );
  }
}

const isLongestOfAll = ({ moduleId }: TestSpecification): boolean => moduleId.includes(longestOfAll);

function rank({ moduleId }: TestSpecification): number {
  const found = longest.findIndex((part) => moduleId.includes(part));
  return found < 0 ? longest.length : found;
}
