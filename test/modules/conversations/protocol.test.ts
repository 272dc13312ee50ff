import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, expectTypeOf, test } from 'vitest';
import { createRandom } from '../../../bench/load/random.ts';
import { SOCKET_RETURNS_PER_SECOND } from '../../../src/limits.ts';
import type { OpenConversation } from '../../../src/modules/conversations/conversations.ts';
import { ANSWER_CHARS_MAX as SERVER_CHARS_MAX } from '../../../src/modules/conversations/limits.ts';
import type { Message as ServerMessage } from '../../../src/modules/conversations/queries.ts';
import { CLOSE as SERVER_CLOSE } from '../../../src/socket/connection.ts';
import {
  ANSWER_CHARS_MAX,
  CLOSE,
  cleanText,
  countChars,
  failuresAfter,
  hintOf,
  isVisible,
  type Message,
  type Welcome,
  waitMs,
} from '../../../web/modules/conversations/protocol.js';

test('the client and the server mean the same by their close codes, their messages and the longest answer', () => {
  expect(CLOSE).toEqual(SERVER_CLOSE);
  expect(ANSWER_CHARS_MAX).toBe(SERVER_CHARS_MAX);
  expectTypeOf<ServerMessage>().toExtend<Message>();
  expectTypeOf<OpenConversation>().toExtend<Omit<Welcome, 'type'>>();
});

test('waits grow up to a ceiling, are random, and are longest after a breach of the rules', () => {
  const longest = (failures: number) => Math.round(waitMs(failures, 0, 1));
  expect([1, 2, 3, 14, 60].map(longest)).toEqual([500, 650, 845, 15_000, 15_000]);
  expect(waitMs(6, 0, 0)).toBe(0);
  expect(waitMs(failuresAfter(0, CLOSE.policy), 0, 1)).toBe(15_000);
  expect(waitMs(failuresAfter(0, CLOSE.busy), 0, 1)).toBe(500);
});

test('of 5,000 clients whose server was away for 3 s each is back within 10 s, and few enough in the same second', () => {
  const random = createRandom(1);
  const AWAY_MS = 3_000;
  const backAt = Array.from({ length: 5_000 }, () => {
    let at = 0;
    for (let failures = 1; at < AWAY_MS; failures++) at += waitMs(failures, 0, random.next());
    return at;
  });
  expect(Math.max(...backAt)).toBeLessThan(10_000);
  const inSecond = Map.groupBy(backAt, (at) => Math.floor((at - AWAY_MS) / 1_000));
  // Our server takes twice as many as it asks to come back within a second.
  for (const { length } of inSecond.values()) expect(length).toBeLessThan(2 * SOCKET_RETURNS_PER_SECOND);
});

test('a hint of the server comes before the random part of a wait, and has a bound', () => {
  expect(waitMs(1, hintOf('retry after 3000 ms'), 0)).toBe(3_000);
  expect(waitMs(1, hintOf('retry after 3000 ms'), 1)).toBe(3_500);
  expect(waitMs(1, hintOf('retry after 99999999 ms'), 0)).toBe(60_000);
  for (const reason of ['', 'restarting', 'retry after -5 ms', 'retry after soon']) expect(hintOf(reason)).toBe(0);
});

test.each([
  ['letters', 'x'.repeat(7), 7],
  ['an emoji of one code point', '🙂', 1],
  ['a family of three people and two joiners', '👩‍👩‍👧', 5],
  ['a letter and its accent', 'e\u0301', 2],
  ['half a surrogate pair', '\ud83d', 1],
  ['half a pair before a whole one', '\ud83d🙂', 2],
])('%s is as long for the client as it is for the server', (_, text, chars) => {
  expect(countChars(text)).toBe(chars);
  expect(Compile(Type.String({ maxLength: chars })).Check(text)).toBe(true);
  expect(Compile(Type.String({ maxLength: chars - 1 })).Check(text)).toBe(false);
});

test.each([
  ['nothing', ''],
  ['blanks and lines', ' \n\t\u3000\u00a0'],
  ['a zero-width space', '\u200b'],
  ['a byte order mark and a joiner', '\ufeff\u200d'],
  ['marks of direction', '\u202e\u2066'],
  ['an accent without a letter', '\u0301'],
  ['a Hangul filler and an empty Braille pattern', '\u3164\u2800'],
])('%s cannot be seen', (_, text) => {
  expect(isVisible(text)).toBe(false);
  expect(isVisible(`${text}.`)).toBe(true);
});

test('what the server cannot store is left out before an answer is sent', () => {
  expect(cleanText(' fine\0 \n')).toBe('fine');
  expect(cleanText('\ud83d!')).toBe('\ufffd!');
  expect(cleanText('e\u0301')).toBe('\u00e9');
});
