import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files in the order of their paths. Vitest begins with the largest, and the shortest files of the scenarios are the longest
 * tests: begun last, they would have the end for themselves.
 */
export default class PathSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}
