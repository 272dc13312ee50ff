/**
 * What it is: a stream of items, split into batches.
 * What fails without it: one statement, and so one network round trip, per row.
 * What it costs: `size` items in memory. Its bound: `size`, which the caller names in limits.ts.
 */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length >= size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
