import { beforeEach, expect, test } from 'vitest';
import { KEPT_ANSWERS_MAX, KEPT_DAYS, keepAnswers } from '../../../web/modules/conversations/kept-answers.js';

/** What localStorage is to two windows of one browser. */
function createStorage() {
  const entries = new Map<string, string>();
  return {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
    key: (nth: number) => [...entries.keys()][nth] ?? null,
    get length() {
      return entries.size;
    },
  };
}

let storage: ReturnType<typeof createStorage>;
let now: number;
beforeEach(() => {
  storage = createStorage();
  now = 1_000;
});
const open = (token = 'link') => keepAnswers(storage, token, () => now++);
const textsIn = (kept: ReturnType<typeof open>) =>
  kept.all().map(([nonce, answer]) => [nonce, 'text' in answer && answer.text]);

test('an answer outlives the page, in the order written, until it is acknowledged', () => {
  const before = open();
  before.add('z', { questionSeq: 1, text: 'first' });
  before.add('a', { questionSeq: 3, choice: 4 });
  const after = open();
  expect(after.all()).toEqual([
    ['z', { questionSeq: 1, text: 'first', at: expect.any(Number) }],
    ['a', { questionSeq: 3, choice: 4, at: expect.any(Number) }],
  ]);
  after.remove('z');
  expect(
    open()
      .all()
      .map(([nonce]) => nonce),
  ).toEqual(['a']);
});

test('an answer is never seen by another link, not even by one that begins alike', () => {
  open('1.2.abc').add('a', { questionSeq: 1, text: 'mine' });
  for (const other of ['1.2.xyz', '1.2.ab', '1.2.abcd', '']) expect(open(other).all()).toEqual([]);
  expect(textsIn(open('1.2.abc'))).toEqual([['a', 'mine']]);
});

test('two windows of one link do not overwrite each other, and take in what the other left', () => {
  const [left, right] = [open(), open()];
  left.add('l', { questionSeq: 1, text: 'left' });
  right.add('r', { questionSeq: 1, text: 'right' });
  expect(textsIn(right)).toEqual([['r', 'right']]);
  right.refresh();
  expect(textsIn(right)).toEqual([
    ['l', 'left'],
    ['r', 'right'],
  ]);
});

test('answers are forgotten after some days, and beyond a number the oldest go first', () => {
  for (let nth = 0; nth < KEPT_ANSWERS_MAX + 5; nth++) open(`link ${nth}`).add('a', { questionSeq: 1, text: 'x' });
  open();
  expect(storage.length).toBe(KEPT_ANSWERS_MAX);
  expect(open('link 0').all()).toEqual([]);
  now += KEPT_DAYS * 86_400_000;
  open();
  expect(storage.length).toBe(0);
});

test('what somebody else wrote into the storage is left alone, and what is broken is not an answer', () => {
  storage.setItem('theme', 'dark');
  storage.setItem('check-in/link/n', 'not JSON');
  storage.setItem('check-in/link/m', '{"at": 1, "questionSeq": 1}');
  expect(open().all()).toEqual([]);
  expect(storage.getItem('theme')).toBe('dark');
});

test('where the browser refuses to store, the answer is in memory, and said to be not safe', () => {
  const refuse = () => {
    throw new Error('QuotaExceededError');
  };
  const kept = keepAnswers(
    { ...storage, setItem: refuse, removeItem: refuse, key: refuse, length: 1 },
    'link',
    () => now,
  );
  kept.add('a', { questionSeq: 1, text: 'fine' });
  expect(kept.isSafe()).toBe(false);
  expect(kept.all()).toHaveLength(1);
  kept.remove('a');
  expect(kept.all()).toEqual([]);
});
