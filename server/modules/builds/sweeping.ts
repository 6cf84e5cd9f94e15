import type { Log } from "#kernel/log.ts";

/** Runs a sweep again and again, one at a time; one that fails is logged and the next comes as ever. */
export function startSweeping(sweep: () => Promise<void>, everyMs: number, log: Log): AsyncDisposable {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const once = async () => {
    await sweep().catch((error: unknown) => log.warn({ err: error }, "what is looked over now and then could not be"));
    plan();
  };
  function plan(): void {
    if (!stopped) timer = setTimeout(() => void (running = once()), everyMs);
  }
  plan();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
