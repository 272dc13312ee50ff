import { expect, test } from 'vitest';
import { tidyLine, tidyText } from '../src/text.ts';

test.each([
  ['composed and decomposed are one', 'Zoe\u0308', 'Zoë'],
  [
    'spaces of every kind, tabs and line breaks become one space',
    '\u00a0Ada\t \u2003\r\nLove\u3000lace\u2028',
    'Ada Love lace',
  ],
  ['what nobody sees is removed', 'A\u200bd\u00ada\ufeff\u2060 \u0007L\u034fo\u2800ve', 'Ada Love'],
  ['characters that will never mean anything are removed', 'A\uffffd\ufdd0a \u{1ffff}', 'Ada'],
  ['a text is not shown backwards', '\u202eAda\u202c \u2066Lo\u2069ve\u200e', 'Ada Love'],
  ['a name of invisible letters is empty', '\u3164\u115f\uffa0 \u200b', ''],
  ['joiners stay where they shape letters', 'علی\u200cرضا क्\u200dष', 'علی\u200cرضا क्\u200dष'],
  ['joiners go between Latin letters', 'A\u200dd\u200ca', 'Ada'],
  [
    'emoji stay whole',
    '👩\u200d💻 ❤\ufe0f 👍🏽 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '👩\u200d💻 ❤\ufe0f 👍🏽 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
  ],
  ['variants of Han characters stay', '葛\u{e0100}飾', '葛\u{e0100}飾'],
  ['letters of letters hidden in tags do not', 'Ada\u{e0041}\u{e0042}', 'Ada'],
  ['everything visible stays', "O'Neill-Łuk (Ada) 你好 =1+1 ﬁ ½", "O'Neill-Łuk (Ada) 你好 =1+1 ﬁ ½"],
])('%s', (_what, given, tidied) => {
  expect(tidyLine(given)).toBe(tidied);
  expect(tidyLine(tidied)).toBe(tidied);
});

test('a text of several lines keeps them, and its tabs', () => {
  expect(tidyText('one\r\ntwo\rthree\u2028four\n\tfive\u200b ')).toBe('one\ntwo\nthree\nfour\n\tfive ');
});

test('a NUL character stays, to be refused', () => {
  expect(tidyText('a\0b\u200b')).toBe('a\0b');
});
