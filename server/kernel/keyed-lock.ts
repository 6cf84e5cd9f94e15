/** One at a time of each key, in the order of asking. */
export interface KeyedLock {
  /** Waits for its turn; dispose the answer to pass it on. */
  take(key: string): Promise<Disposable>;
  /** The same for as long as the work takes. */
  hold<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyedLock(): KeyedLock {
  const last = new Map<string, Promise<void>>();
  async function take(key: string): Promise<Disposable> {
    const before = last.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    last.set(key, promise);
    await before;
    return {
      [Symbol.dispose]() {
        if (last.get(key) === promise) last.delete(key);
        resolve();
      },
    };
  }
  return {
    take,
    async hold(key, work) {
      using _ = await take(key);
      return await work();
    },
  };
}
