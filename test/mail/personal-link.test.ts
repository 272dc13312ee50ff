import { expect, test } from 'vitest';
import { createLinkToken, readLinkToken } from '../../src/mail/personal-link.ts';

const KEY = 'a key of at least thirty-two characters';
const TARGET = { orgId: 12, id: 987_654_321 };
const token = createLinkToken(KEY, 'read', TARGET);

test('a link leads back to what it was made for, up to the largest ids', () => {
  expect(readLinkToken(KEY, 'read', token)).toEqual(TARGET);
  const large = { orgId: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER };
  expect(readLinkToken(KEY, 'read', createLinkToken(KEY, 'read', large))).toEqual(large);
});

test('a target always gets the same link, so a mail that is sent again carries the same one', () => {
  expect(createLinkToken(KEY, 'read', TARGET)).toBe(token);
});

test('a link with any one character changed is refused', () => {
  const others = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.';
  for (let place = 0; place < token.length; place++) {
    for (const other of others) {
      if (other === token[place]) continue;
      const changed = token.slice(0, place) + other + token.slice(place + 1);
      expect(readLinkToken(KEY, 'read', changed), changed).toBeUndefined();
    }
  }
});

test('a link made for one purpose is refused for another, in both directions', () => {
  expect(readLinkToken(KEY, 'delete', token)).toBeUndefined();
  expect(readLinkToken(KEY, 'read', createLinkToken(KEY, 'delete', TARGET))).toBeUndefined();
});

test('a link signed with another key is refused', () => {
  expect(readLinkToken(`${KEY}.`, 'read', token)).toBeUndefined();
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
])('text that is not a link at all is refused without an exception: %j', (text) =>
  expect(readLinkToken(KEY, 'read', text)).toBeUndefined(),
);
