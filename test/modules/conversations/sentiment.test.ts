import { expect, test } from 'vitest';
import { scoreSentiment } from '../../../src/modules/conversations/sentiment.ts';

test.each(['I love my team, great support', 'Everything is wonderful, thank you 😀', 'not bad at all'])(
  '%j is good',
  (text) => expect(scoreSentiment(text)).toBeGreaterThan(0),
);

test.each(['The meetings are terrible and I hate them', 'I am exhausted and worried', 'not good'])(
  '%j is bad',
  (text) => expect(scoreSentiment(text)).toBeLessThan(0),
);

test.each(['', '   ', 'The meeting was on Tuesday', '12345', '????', '你好'])('%j says nothing either way', (text) =>
  expect(scoreSentiment(text)).toBe(0),
);

test('the score stays between -1 and 1, however strongly it is put', () => {
  expect(scoreSentiment('breathtaking superb outstanding hurrah '.repeat(50))).toBeLessThanOrEqual(1);
  expect(scoreSentiment('catastrophic bastard fraud hell '.repeat(50))).toBeGreaterThanOrEqual(-1);
});

test('the longest answer is scored without keeping others waiting', () => {
  const begin = performance.now();
  for (const text of ['a'.repeat(2_000), '! '.repeat(1_000), 'not '.repeat(500), '😀'.repeat(1_000)])
    scoreSentiment(text);
  expect(performance.now() - begin).toBeLessThan(200);
});
