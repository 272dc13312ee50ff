import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { Place } from '../../src/db/keyset-pagination.ts';
import { eachPage } from '../../src/db/streaming-export.ts';
import { until } from '../database.ts';

const PAGE_ROWS = 10;

test('every row comes out once and in order, and no query follows a page that was not full', async () => {
  const table = createTable(25);
  expect((await Array.fromAsync(table.rows())).flat()).toEqual(table.all);
  expect(table.asked).toEqual([undefined, [10], [20]]);
});

test('a table that ends with a full page costs one more query, and no empty page comes out', async () => {
  const table = createTable(20);
  expect((await Array.fromAsync(table.rows())).map((page) => page.length)).toEqual([10, 10]);
  expect(table.asked).toEqual([undefined, [10], [20]]);
  expect(await Array.fromAsync(createTable(0).rows())).toEqual([]);
});

test('a page is read only when the consumer asks for it', async () => {
  const table = createTable(1_000);
  const rows = table.rows();
  expect(table.asked).toHaveLength(0);
  await rows.next();
  await rows.next();
  expect(table.asked).toHaveLength(2);
});

test('a client that does not read stops the queries, and one that reads on starts them again', async () => {
  const table = createTable(1_000);
  let take: (() => void) | undefined;
  const received: number[] = [];
  const client = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(page: number[], _, done) {
      received.push(...page);
      take = done;
    },
  });
  const source = Readable.from(table.rows(), { highWaterMark: 1 });
  const exported = pipeline(source, client);
  await until('the buffers are full', () => source.readableLength >= 1 && client.writableNeedDrain);
  await new Promise((resolve) => setImmediate(resolve));
  const askedWhileStuck = table.asked.length;
  expect(askedWhileStuck).toBeLessThanOrEqual(4); // one being written, the rest in the two buffers
  await new Promise((resolve) => setImmediate(resolve));
  expect(table.asked.length).toBe(askedWhileStuck);

  while (received.length < 1_000) {
    take?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  take?.();
  await exported;
  expect(received).toEqual(table.all);
});

test('a client that goes away ends the export: nothing more is read', async () => {
  const table = createTable(1_000);
  for await (const page of table.rows()) if (page.includes(15)) break;
  expect(table.asked).toHaveLength(2);

  const rows = table.rows();
  await rows.next();
  await rows.return(undefined);
  expect(await rows.next()).toEqual({ done: true, value: undefined });
  expect(table.asked).toHaveLength(3);
});

test('a query that fails ends the export with its error', async () => {
  const rows = eachPage<number>(
    async (after) => {
      if (after !== undefined) throw new Error('the replica went away');
      return [1, 2];
    },
    (row) => [row],
    2,
  );
  expect(await rows.next()).toEqual({ done: false, value: [1, 2] });
  await expect(rows.next()).rejects.toThrow('the replica went away');
});

/** The numbers from 1 to `size`, read as a keyset query reads them; `asked` holds the place of each query. */
function createTable(size: number) {
  const all = Array.from({ length: size }, (_, n) => n + 1);
  const asked: (Place | undefined)[] = [];
  const page = async (after: Place | undefined) => {
    asked.push(after);
    const from = (after?.[0] as number | undefined) ?? 0;
    return all.slice(from, from + PAGE_ROWS);
  };
  return { all, asked, rows: () => eachPage(page, (row) => [row], PAGE_ROWS) };
}
