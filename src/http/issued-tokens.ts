/**
 * What it is: tokens of sessions and keys that we recognise as issued by us before we ask the database for them.
 * What fails without it: a token that somebody made up costs a query like any other, so a network has only so many that
 *   nobody knows; and one stranger in an office who uses these up keeps out everybody there who has just signed in.
 * How it works: the end of a token is a MAC of the rest, under a key derived from SECRET_KEY. It grants nothing: whose
 *   token it is, and whether it has ended, only the database says. A token from before SECRET_KEY was changed works on, as
 *   one that may be made up.
 * What it costs: an HMAC for a token that this process has not seen within KNOWN_SESSION_MS.
 * Its proof: test/http/issued-tokens.test.ts.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

export interface IssuedTokens {
  /** TOKEN_CHARS characters of base64url behind `start`. */
  issue(start?: string): string;
  isIssued(token: string): boolean;
}

export const TOKEN_CHARS = 43;
const RANDOM_BYTES = 24; // 32 characters
const MAC_CHARS = 11; // 66 bits: nobody finds one by asking

export function createIssuedTokens(secretKey: string): IssuedTokens {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'tardigrade issued tokens', 32));
  const macOf = (text: string) => createHmac('sha256', key).update(text).digest('base64url').slice(0, MAC_CHARS);
  return {
    issue(start = '') {
      const text = start + randomBytes(RANDOM_BYTES).toString('base64url');
      return text + macOf(text);
    },
    isIssued(token) {
      const mac = Buffer.from(token.slice(-MAC_CHARS));
      const expected = Buffer.from(macOf(token.slice(0, -MAC_CHARS)));
      return mac.length === expected.length && timingSafeEqual(mac, expected);
    },
  };
}
