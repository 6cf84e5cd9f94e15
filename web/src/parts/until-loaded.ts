import { lazy } from "react";
import { untilReached } from "../api/until-reached.ts";

const mostTries = 6;

/**
 * Code that comes when it is first shown, asked for again for eight seconds where the network is cut or the server away. A
 * browser that remembers that it did not come rejects after that as well.
 */
export async function untilLoaded<T>(load: () => Promise<T>, failures = 0): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (failures + 1 === mostTries) throw error;
  }
  await new Promise((resolve) => {
    setTimeout(resolve, untilReached.retryDelay(failures));
  });
  return untilLoaded(load, failures + 1);
}

/** A component whose code comes so. */
export const lazyUntilLoaded: typeof lazy = (load) => lazy(() => untilLoaded(load));
