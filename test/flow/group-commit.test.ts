import { expect, test } from 'vitest';
import { createGroupCommit } from '../../src/flow/group-commit.ts';

/** A group commit whose batches end when the test says so. */
function held(limits = { atOnce: 2, items: 3, waiting: 10 }) {
  const begun: { group: string; items: readonly string[]; end: (error?: unknown) => void }[] = [];
  const commits = createGroupCommit<string, string, string>({
    what: 'words',
    limits,
    commit: (group, items) =>
      new Promise((resolve, reject) => {
        const end = (error?: unknown) =>
          error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error);
        begun.push({ group, items, end });
      }),
    isFaultOfOne: (error) => error instanceof RangeError,
  });
  const batches = () => begun.map(({ group, items }) => `${group}: ${items.join(' ')}`);
  /** Ends the nth batch, and lets what waited for that begin. */
  const end = async (nth: number, error?: unknown) => {
    begun[nth]?.end(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { commits, batches, end };
}

test('the first item is committed at once and alone, those added meanwhile together', async () => {
  const { commits, batches, end } = held();
  const results = ['a', 'b', 'c'].map((word) => commits.add('one', word));
  expect(batches()).toEqual(['one: a']);
  expect(commits.waiting).toBe(2);
  await end(0);
  expect(batches()).toEqual(['one: a', 'one: b c']);
  await end(1);
  expect(await Promise.all(results)).toEqual(['a!', 'b!', 'c!']);
  expect(commits.waiting).toBe(0);
});

test('a batch is limited in size, and the rest follows in order', async () => {
  const { commits, batches, end } = held();
  for (const word of 'abcdefg') void commits.add('one', word);
  for (let nth = 0; nth < 3; nth++) await end(nth);
  expect(batches()).toEqual(['one: a', 'one: b c d', 'one: e f g']);
});

test('groups commit in parallel up to the limit, and then take turns', async () => {
  const { commits, batches, end } = held();
  for (const word of ['a', 'b', 'c', 'd', 'e']) void commits.add('busy', word);
  for (const group of ['two', 'three']) void commits.add(group, 'x');
  expect(batches()).toEqual(['busy: a', 'two: x']);
  await end(0);
  expect(batches().slice(2)).toEqual(['busy: b c d']);
  // One more of the busy group still waits, but it has just had its turn.
  await end(1);
  expect(batches().slice(3)).toEqual(['three: x']);
  await end(2);
  expect(batches().slice(4)).toEqual(['busy: e']);
});

test('when a batch fails, each of its callers gets the error, and the next batch is committed', async () => {
  const { commits, batches, end } = held();
  const results = Promise.allSettled(['a', 'b', 'c'].map((word) => commits.add('one', word)));
  await end(0);
  await end(1, new Error('connection lost'));
  const settled = await results;
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  void commits.add('one', 'd');
  expect(batches().at(-1)).toBe('one: d');
});

test('when one item is at fault, each is committed alone, and only that one fails', async () => {
  const asked: string[] = [];
  const commits = createGroupCommit<number, number, number>({
    what: 'numbers',
    limits: { atOnce: 1, items: 10, waiting: 10 },
    async commit(_, items) {
      asked.push(items.join(' '));
      if (items.includes(13)) throw new RangeError('13');
      return items.map((item) => (item === 3 ? new Error('no threes') : item * 2));
    },
    isFaultOfOne: (error) => error instanceof RangeError,
  });
  const settled = await Promise.allSettled([1, 2, 13, 3].map((number) => commits.add(7, number)));
  expect(asked).toEqual(['1', '2 13 3', '2', '13', '3']);
  expect(settled).toEqual([
    { status: 'fulfilled', value: 2 },
    { status: 'fulfilled', value: 4 },
    { status: 'rejected', reason: new RangeError('13') },
    { status: 'rejected', reason: new Error('no threes') },
  ]);
});

test('an item beyond the waiting limit is refused at once', async () => {
  const { commits } = held({ atOnce: 1, items: 3, waiting: 2 });
  for (const word of 'abc') void commits.add('one', word);
  await expect(commits.add('two', 'd')).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 2 });
  expect(commits.waiting).toBe(2);
});
