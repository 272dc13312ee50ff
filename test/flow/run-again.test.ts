import { expect, test } from 'vitest';
import { createRunAgain } from '../../src/flow/run-again.ts';
import { until } from '../database.ts';

/** Work that ends when the test says so. */
function heldWork() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<void>((resolve) => {
      begun.push(name);
      ends.push(resolve);
    });
  return { begun, work, end: () => ends.shift()?.() };
}

test('what is asked for while it is under way is done once more afterwards, as it was asked for last', async () => {
  const { begun, work, end } = heldWork();
  const runAgain = createRunAgain(() => undefined);
  runAgain('a', work('first'));
  for (const name of ['second', 'third', 'last']) runAgain('a', work(name));
  expect(begun).toEqual(['first']);
  end();
  await until('it is done again', () => begun.length > 1);
  end();
  runAgain('a', work('afterwards'));
  await until('it is done again', () => begun.length > 2);
  expect(begun).toEqual(['first', 'last', 'afterwards']);
});

test('keys do not wait for each other, and work that fails is reported and can be asked for again', async () => {
  const { begun, work } = heldWork();
  const errors: unknown[] = [];
  const runAgain = createRunAgain((error) => errors.push(error));
  runAgain('a', work('of a'));
  runAgain('b', () => Promise.reject(new Error('of b')));
  runAgain('b', () => {
    throw new Error('again of b');
  });
  await until('both have failed', () => errors.length === 2);
  runAgain('b', work('at last of b'));
  expect(begun).toEqual(['of a', 'at last of b']);
  expect(errors.map(String)).toEqual(['Error: of b', 'Error: again of b']);
});
