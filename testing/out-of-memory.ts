import { expect } from "vitest";
import type { JobResult } from "#drivers/runtime/contract.ts";
import { until } from "./until.ts";

/** What a job says that ran out of memory: the second where the engine did not hear of it. */
export const outOfMemory: unknown = expect.stringMatching(
  /^(it ran out of memory|it was killed \(SIGKILL\), perhaps for want of memory)$/,
);

/** Until the engine has heard that memory was the reason: see `exitWords`. Each run must end by it. */
export function untilOutOfMemory(run: () => Promise<JobResult>): Promise<void> {
  return until(async () => {
    const { exitCode, oomKilled } = await run();
    expect(exitCode).toBe(137);
    return oomKilled;
  });
}
