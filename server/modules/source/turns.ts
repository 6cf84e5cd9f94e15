/** One writer at a time for each repository, in the order of asking. */
export interface Turns {
  /** Waits for the turn; dispose the answer to pass it on. */
  take(repository: string): Promise<Disposable>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(repository) {
      const before = last.get(repository);
      const { promise, resolve } = Promise.withResolvers<void>();
      last.set(repository, promise);
      await before;
      return {
        [Symbol.dispose]() {
          if (last.get(repository) === promise) last.delete(repository);
          resolve();
        },
      };
    },
  };
}
