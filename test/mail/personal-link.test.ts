import { expect, test } from 'vitest';
import { createLinkToken, readLinkToken } from '../../src/mail/personal-link.ts';

const KEY = 'a key of at least thirty-two characters';
const TARGET = { orgId: 12, reachOutId: 987_654_321 };
const token = createLinkToken(KEY, 'check-in', TARGET);

test('a link leads back to what it was made for, up to the largest ids', () => {
  expect(readLinkToken(KEY, 'check-in', token)).toEqual(TARGET);
  const large = { orgId: Number.MAX_SAFE_INTEGER, reachOutId: Number.MAX_SAFE_INTEGER };
  expect(readLinkToken(KEY, 'check-in', createLinkToken(KEY, 'check-in', large))).toEqual(large);
});

test('the same link is the same text every time: a mail sent again carries the same one', () => {
  expect(createLinkToken(KEY, 'check-in', TARGET)).toBe(token);
});

test('changing any one character makes it worthless', () => {
  const others = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.';
  for (let place = 0; place < token.length; place++) {
    for (const other of others) {
      if (other === token[place]) continue;
      const changed = token.slice(0, place) + other + token.slice(place + 1);
      expect(readLinkToken(KEY, 'check-in', changed), changed).toBeUndefined();
    }
  }
});

test('a check-in link does not unsubscribe, and the other way round', () => {
  expect(readLinkToken(KEY, 'unsubscribe', token)).toBeUndefined();
  expect(readLinkToken(KEY, 'check-in', createLinkToken(KEY, 'unsubscribe', TARGET))).toBeUndefined();
});

test("another installation's link is not ours", () => {
  expect(readLinkToken(`${KEY}.`, 'check-in', token)).toBeUndefined();
});

test.each([
  '',
  '.',
  '..',
  'c.1',
  `${token}x`,
  ` ${token}`,
  `${token}\n`,
  'a'.repeat(100_000),
  '1.1.üüüüüüüüüüüüüüüüüüüüüü',
])('what is no link at all is refused without a fuss: %j', (text) =>
  expect(readLinkToken(KEY, 'check-in', text)).toBeUndefined(),
);
