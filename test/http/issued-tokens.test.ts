import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createIssuedTokens, TOKEN_CHARS } from '../../src/http/issued-tokens.ts';

const { issue, isIssued } = createIssuedTokens('a secret key');

test('what we issue we recognise, and no two are the same', () => {
  for (const start of [undefined, 'service_0a1b2c3d_']) {
    const tokens = Array.from({ length: 100 }, () => issue(start));
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) {
      expect(token.slice(start?.length ?? 0)).toMatch(new RegExp(`^[\\w-]{${TOKEN_CHARS}}$`));
      expect(isIssued(token)).toBe(true);
    }
  }
});

test('what somebody made up or changed, or another key issued, is not ours', () => {
  const token = issue();
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'A' ? 'B' : 'A';
    expect(isIssued(token.slice(0, at) + other + token.slice(at + 1)), `character ${at}`).toBe(false);
  }
  expect(isIssued(createIssuedTokens('another key').issue())).toBe(false);
  for (const made of [randomBytes(32).toString('base64url'), `x${token}`, token.slice(1), '', 'é'.repeat(43)])
    expect(isIssued(made), made).toBe(false);
});
