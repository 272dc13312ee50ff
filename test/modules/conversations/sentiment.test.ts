import { expect, test } from 'vitest';
import { scoreText } from '../../../src/modules/conversations/sentiment.ts';

test.each([
  'I love my team, great support',
  'Everything is wonderful, thank you 😀',
  'not bad at all',
  'Great week',
  '😀',
])('%j is good', (text) => expect(scoreText(text)).toBeGreaterThan(0));

test.each(['The meetings are terrible and I hate them', 'I am exhausted and worried', 'not good', 'I am tired', '😡'])(
  '%j is bad',
  (text) => expect(scoreText(text)).toBeLessThan(0),
);

test.each(['👍🏻', '👍🏿', 'My team 👍🏽', '✌🏿', '👏🏼👏🏼', '❤️', '❤', '♥️', '☺️', 'I ❤️ my team', '✌️'])(
  '%s is good, in every skin colour and with or without the selector of emoji',
  (text) => expect(scoreText(text)).toBeGreaterThan(0),
);

test.each(['👎🏽', '👎🏿'])('%s is bad', (text) => expect(scoreText(text)).toBeLessThan(0));

test.each(['ok', 'The meeting was on Tuesday', 'Same as last week'])('%j says nothing either way', (text) =>
  expect(scoreText(text)).toBe(0),
);

test.each(['', '   ', '12345', '????', '你好', 'Die Woche war gut', '1️⃣', '\u200b'])(
  '%j cannot be read, and has no score',
  (text) => expect(scoreText(text)).toBeNull(),
);

test('the score stays between -1 and 1, however strongly it is put', () => {
  expect(scoreText('breathtaking superb outstanding hurrah '.repeat(50))).toBeLessThanOrEqual(1);
  expect(scoreText('catastrophic bastard fraud hell '.repeat(50))).toBeGreaterThanOrEqual(-1);
});

const INHERITED = Object.getOwnPropertyNames(Object.prototype).concat('prototype', 'name', 'length');

test.each(INHERITED)('%s, which every object has, is a word like any other', (word) => {
  const plain = scoreText('The thing is great, we love the thing');
  for (const text of [
    word,
    `#${word}`,
    `#${word} is a great topic`,
    `${word} name`,
    `We love the ${word} and the #${word}`,
  ]) {
    const score = scoreText(text);
    expect(score === null || (Number.isFinite(score) && Math.abs(score) <= 1), text).toBe(true);
  }
  expect(scoreText(`The ${word} is great, we love the ${word}`)).toBe(plain);
  expect(scoreText(`The ${word} is great, we love the ${word.toUpperCase()}`)).toBe(plain);
});

const LONGEST = {
  letters: 'a',
  digits: '1',
  'digits and points': '1.',
  'numbers of forty digits': `${'1'.repeat(40)} `,
  'single digits': '1 ',
  times: '12:30 ',
  emoji: '😀',
  'emoji and digits': `😀${'1'.repeat(39)}`,
  'a family of emoji': '👩‍👩‍👧',
  negations: 'not ',
  quotes: '"',
  contractions: "it's ",
  'addresses without an end': `${'a'.repeat(40)} `,
  links: `http://${'a'.repeat(30)} `,
  hashtags: '#a ',
  marks: 'a\u0301\u0301\u0301',
  signs: '! ',
};

test.each(Object.entries(LONGEST))('2,000 characters of %s take not much longer than as many of words', (_, part) => {
  // They take about as long, and runs that are not left out take from ten to three hundred times as long.
  const [long, words] = quickestMs([part, 'The week was good, but the meetings made me tired. ']);
  expect(long).toBeLessThan(5 * (words as number));
});

/** Of many in turn: other tests share the processors. */
function quickestMs(parts: readonly string[]): number[] {
  const texts = parts.map((part) => part.repeat(2_000).slice(0, 2_000));
  const quickest = texts.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 60; round++)
    for (const [nth, text] of texts.entries()) {
      const begin = performance.now();
      scoreText(text);
      quickest[nth] = Math.min(quickest[nth] as number, performance.now() - begin);
    }
  return quickest;
}
