/** `node batches.ts <count>`: makes rows, and keeps the last ones at hand in a cache that may fill half of the heap. */
import { createHash } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';

const ROWS = 10_000;
const BATCH_BYTES = 1.65 * 1024 * 1024; // of rows like these
const HEAP_SHARE = 0.5;

const count = Number(process.argv[2]);
const keptMax = Math.floor((getHeapStatistics().heap_size_limit * HEAP_SHARE) / BATCH_BYTES);
const kept: { id: number; name: string; tags: string[] }[][] = [];
const digest = createHash('sha256');
for (let batch = 0; batch < count; batch++) {
  const rows = Array.from({ length: ROWS }, (_, row) => {
    return { id: batch * ROWS + row, name: `row ${row}`, tags: [`of ${batch}`, 'new'] };
  });
  if (kept.push(rows) > keptMax) kept.shift();
  digest.update(String(rows.at(-1)?.id));
}
console.log(digest.digest('hex'));
