import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tidyLine, tidyText } from '../src/text.ts';

test.each([
  ['composed and decomposed are one', 'Zoe\u0308', 'Zoë'],
  [
    'spaces of every kind, tabs and line breaks become one space',
    '\u00a0Ada\t \u2003\r\nLove\u3000lace\u2028',
    'Ada Love lace',
  ],
  [
    'letters are composed over what nobody sees',
    'Bu\u00ad\u0308ro Zoe\ufeff\u0308 u\u200b\u0308 e\u034f\u0301',
    'Büro Zoë ü é',
  ],
  ['syllables of Hangul are too', '\u1112\u200b\u1161\u00ad\u11ab', '한'],
  ['marks that stand on what nobody sees stand on the letter before it', 'a\u200d\u0323\u200b\u0307', 'ạ\u0307'],
  ['what nobody sees is removed', 'A\u200bd\u00ada\ufeff\u2060 \u0007L\u034fo\u2800ve', 'Ada Love'],
  ['characters that will never mean anything are removed', 'A\uffffd\ufdd0a \u{1ffff}', 'Ada'],
  ['a text is not shown backwards', '\u202eAda\u202c \u2066Lo\u2069ve\u200e', 'Ada Love'],
  ['a name of invisible letters is empty', '\u3164\u115f\uffa0 \u200b', ''],
  ['marks with no letter under them are nothing', ' \u0308 \u0301\u034f\u0345', ''],
  ['joiners stay where they shape letters', 'علی\u200cرضا क्\u200dष', 'علی\u200cرضا क्\u200dष'],
  ['and behind the marks of their letters', 'علیّ\u200cرضا', 'علیّ\u200cرضا'],
  ['a non-joiner goes where nothing follows that it could keep apart', 'فروش\u200c', 'فروش'],
  ['and before a space', 'فروش\u200c ما', 'فروش ما'],
  ['the vowel separator stays in Mongolian', 'ᠰᠠᠷ\u180eᠠ', 'ᠰᠠᠷ\u180eᠠ'],
  ['and goes elsewhere', 'Ad\u180ea', 'Ada'],
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

describe('any text that was tidied is composed, and stays as it is:', () => {
  const unit = fc.oneof(
    fc.constantFrom(
      ...[
        'a',
        'u',
        'e',
        ' ',
        '\t',
        '\n',
        '\r',
        '\0',
        '\u0308',
        '\u0301',
        '\u0323',
        '\u0345',
        '\u034f',
        '\u00ad',
        '\u200b',
      ],
      ...[
        '\u200c',
        '\u200d',
        '\ufeff',
        '\ufe0f',
        '\ufe00',
        '\u180b',
        '\u1820',
        '\u1112',
        '\u1161',
        '\u11ab',
        '\u3164',
        '\u2800',
      ],
      ...[
        'علی',
        'क',
        '\u094d',
        '\u093c',
        'ष',
        '❤',
        '👩',
        '💻',
        '👍',
        '🏽',
        '葛',
        '\u{e0100}',
        '\u{1f3f4}',
        '\u{e0067}',
        '\u{e007f}',
      ],
      ...[
        '1',
        '\u20e3',
        '\ufa10',
        '\u2f00',
        '\u0374',
        '\u212b',
        '\u2126',
        '\ud834',
        '\udd5e',
        '\u{1d15e}',
        '\u{1d173}',
        '\ufffe',
      ],
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  test.each([
    ['of several lines', tidyText],
    ['of one line', tidyLine],
  ])('%s', (_which, tidy) => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const tidied = tidy(text);
        expect(tidied.normalize('NFC')).toBe(tidied);
        expect(tidy(tidied)).toBe(tidied);
        expect(tidy(text.normalize('NFD'))).toBe(tidied);
      }),
      { seed: 1, numRuns: 20_000 },
    );
  });
});

test('a NUL character stays, to be refused', () => {
  expect(tidyText('a\0b\u200b')).toBe('a\0b');
});
