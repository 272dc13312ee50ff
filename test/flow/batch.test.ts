import { expect, test } from 'vitest';
import { batches } from '../../src/flow/batch.ts';

test('items keep their order, in batches of the given size, and the last batch may be smaller', async () => {
  expect(await Array.fromAsync(batches([1, 2, 3, 4, 5, 6, 7], 3))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test('no batch is ever empty', async () => {
  expect(await Array.fromAsync(batches([], 3))).toEqual([]);
  expect(await Array.fromAsync(batches([1, 2, 3], 3))).toEqual([[1, 2, 3]]);
});

test('no more items are taken from the source than the current batch needs', async () => {
  let taken = 0;
  const source = (async function* () {
    while (true) yield ++taken;
  })();
  for await (const batch of batches(source, 10)) {
    expect(taken).toBe(batch.at(-1));
    if (taken === 30) break;
  }
  expect(taken).toBe(30);
});

test('a batch is not changed after it was yielded', async () => {
  const [first, second] = await Array.fromAsync(batches([1, 2, 3], 2));
  expect([first, second]).toEqual([[1, 2], [3]]);
  expect(first).not.toBe(second);
});

test('an error of the source reaches the reader, after the batches before it', async () => {
  const source = (async function* () {
    yield* [1, 2, 3];
    throw new Error('line 4 is not CSV');
  })();
  const seen: number[][] = [];
  await expect(async () => {
    for await (const batch of batches(source, 2)) seen.push(batch);
  }).rejects.toThrow('line 4 is not CSV');
  expect(seen).toEqual([[1, 2]]);
});
