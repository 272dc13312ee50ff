import { expect, test } from 'vitest';
import { batches } from '../../src/flow/batch.ts';

test('things come out in their order, in batches of the size, the last one smaller', async () => {
  expect(await Array.fromAsync(batches([1, 2, 3, 4, 5, 6, 7], 3))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test('there is never an empty batch', async () => {
  expect(await Array.fromAsync(batches([], 3))).toEqual([]);
  expect(await Array.fromAsync(batches([1, 2, 3], 3))).toEqual([[1, 2, 3]]);
});

test('no more is taken from the source than the batch that is being looked at', async () => {
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

test('a batch that was handed out is not changed by the next one', async () => {
  const [first, second] = await Array.fromAsync(batches([1, 2, 3], 2));
  expect([first, second]).toEqual([[1, 2], [3]]);
  expect(first).not.toBe(second);
});

test('an error of the source reaches whoever reads, after the batches before it', async () => {
  const source = (async function* () {
    yield* [1, 2, 3];
    throw new Error('line 4 is no CSV');
  })();
  const seen: number[][] = [];
  await expect(async () => {
    for await (const batch of batches(source, 2)) seen.push(batch);
  }).rejects.toThrow('line 4 is no CSV');
  expect(seen).toEqual([[1, 2]]);
});
