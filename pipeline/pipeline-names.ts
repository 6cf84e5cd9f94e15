/** Where a repository keeps its pipeline: the first that is there. */
export const pipelineFiles = [
  ".towline/pipeline.yml",
  ".towline/pipeline.yaml",
  ".buildkite/pipeline.yml",
  ".buildkite/pipeline.yaml",
] as const;
