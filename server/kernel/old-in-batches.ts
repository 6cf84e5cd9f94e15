/** One question to the database for so many keys. */
const batchSize = 500;

/** Keys of what was last changed before the time, in batches: what a sweep compares with the database. */
export async function* oldInBatches(
  stored: AsyncIterable<{ key: string; changedAt: Date }>,
  before: Date,
): AsyncIterable<string[]> {
  let batch: string[] = [];
  for await (const { key, changedAt } of stored) {
    if (changedAt < before) batch.push(key);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
