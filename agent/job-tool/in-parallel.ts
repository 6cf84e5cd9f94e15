/** Does the work on each, so many at a time. Ends with the first throw, after those at work have ended. */
export async function inParallel<T>(most: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  const ends = await Promise.allSettled(Array.from({ length: most }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
