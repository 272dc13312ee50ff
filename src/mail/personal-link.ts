import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';

/**
 * Links for people without an account are computed, not stored: the token names a row and carries a 128-bit HMAC of it.
 * So the database contains no credential, and a mail that is sent again has the same link.
 * The purpose is signed too: a link made for one purpose does not work for another.
 */
export interface LinkTarget {
  readonly orgId: number;
  /** The id of the row that the link is about, within the organisation. */
  readonly id: number;
}

/** A page that a mail can link to. */
export interface PersonalLink {
  /** The text of the button in the mail. */
  readonly label: string;
  url(config: Pick<Config, 'secretKey' | 'apiUrl' | 'chatUrl'>, target: LinkTarget): string;
}

const SIGNATURE_BYTES = 16;

export function createLinkToken(secretKey: string, purpose: string, target: LinkTarget): string {
  const payload = `${target.orgId.toString(36)}.${target.id.toString(36)}`;
  return `${payload}.${sign(secretKey, purpose, payload)}`;
}

/**
 * Undefined for a token that we did not issue, or issued for another purpose. Expiry is stored in the row, not here.
 */
export function readLinkToken(secretKey: string, purpose: string, token: string): LinkTarget | undefined {
  const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{22})$/.exec(token);
  if (match === null) return undefined;
  const [, org = '', id = '', signature = ''] = match;
  // Compares text, not bytes: base64url's last character has unused bits, and each link must have only one valid
  // spelling.
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(secretKey, purpose, `${org}.${id}`)))) return undefined;
  return { orgId: Number.parseInt(org, 36), id: Number.parseInt(id, 36) };
}

function sign(secretKey: string, purpose: string, payload: string): string {
  const signature = createHmac('sha256', secretKey).update(`${purpose}\0${payload}`).digest();
  return signature.toString('base64url', 0, SIGNATURE_BYTES);
}
