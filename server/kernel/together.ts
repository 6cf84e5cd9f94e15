/** Work that is asked for one by one and done together: what comes while some is at work waits, and is done at one go after it. */

/** Does one item under a key, with whatever else waits under that key. */
export type Together<Item, Result> = (key: string, item: Item) => Promise<Result>;

interface Asked<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const mostAtOnce = 100;

/**
 * The busier it is, the more is done at a time; and nobody is served by work that began before he asked.
 * @param work answers one result for each item, in order. When it throws, the items are tried again one by one, so that
 *   only those fail that fail alone: what it does must be undone by then, as a transaction is.
 */
export function together<Item, Result>(
  work: (key: string, items: Item[]) => Promise<Result[]>,
): Together<Item, Result> {
  const lines = new Map<string, Asked<Item, Result>[]>();

  async function serve(key: string, asked: Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await work(
        key,
        asked.map(({ item }) => item),
      );
      asked.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      const [only] = asked;
      if (asked.length === 1) only?.reject(error);
      else for (const each of asked) await serve(key, [each]);
    }
  }

  async function serveLine(key: string): Promise<void> {
    const line = lines.get(key) ?? [];
    while (line.length > 0) await serve(key, line.splice(0, mostAtOnce));
    lines.delete(key);
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      const line = lines.get(key);
      if (line) return void line.push({ item, resolve, reject });
      lines.set(key, [{ item, resolve, reject }]);
      // In the next turn, so that what comes in one turn is done at one go.
      setImmediate(() => void serveLine(key));
    });
}
