export interface Stopwatch {
  time<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Seconds of each part and of all, to a tenth. */
  timings(): Record<string, number>;
}

export function createStopwatch(): Stopwatch {
  const begin = performance.now();
  const parts: Record<string, number> = {};
  const since = (start: number) => Math.round((performance.now() - start) / 100) / 10;
  return {
    async time(name, work) {
      const start = performance.now();
      try {
        return await work();
      } finally {
        parts[name] = since(start);
      }
    },
    timings: () => ({ ...parts, total: since(begin) }),
  };
}
