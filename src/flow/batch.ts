/**
 * What it is: a stream of single things, cut into batches.
 * What fails without it: one statement per row, and the network's round trip per row with it.
 * What it costs: `size` things in memory. Its bound: `size`, named in limits.ts by the caller.
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
