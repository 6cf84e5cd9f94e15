import { expect } from "vitest";

/** What a job says that ran out of memory: the second where the engine did not hear of it. */
export const outOfMemory: unknown = expect.stringMatching(
  /^(it ran out of memory|it was killed \(SIGKILL\), perhaps for want of memory)$/,
);
