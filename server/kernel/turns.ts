/** One at a time of each name, in the order of asking. */
export interface Turns {
  /** Waits for the turn; dispose the answer to pass it on. */
  take(name: string): Promise<Disposable>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(name) {
      const before = last.get(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      last.set(name, promise);
      await before;
      return {
        [Symbol.dispose]() {
          if (last.get(name) === promise) last.delete(name);
          resolve();
        },
      };
    },
  };
}
