import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';

/**
 * Links for people without an account are computed, not stored: the token names a row and carries 128 bits of HMAC over
 * it, so the database holds nothing that opens a door, and a mail that is sent again carries the same link.
 * One key, many purposes: a link made for one purpose does not work for another.
 */
export interface LinkTarget {
  readonly orgId: number;
  /** Of the row that the link is about, within the organisation. */
  readonly id: number;
}

/** A page that a mail can lead its recipient to. */
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

/** Undefined for a token that we did not make, or made for another purpose. When it expires is for the row to say. */
export function readLinkToken(secretKey: string, purpose: string, token: string): LinkTarget | undefined {
  const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{22})$/.exec(token);
  if (match === null) return undefined;
  const [, org = '', id = '', signature = ''] = match;
  // As text, not as bytes: the last letter carries bits that no byte needs, and every link has one spelling.
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(secretKey, purpose, `${org}.${id}`)))) return undefined;
  return { orgId: Number.parseInt(org, 36), id: Number.parseInt(id, 36) };
}

function sign(secretKey: string, purpose: string, payload: string): string {
  const signature = createHmac('sha256', secretKey).update(`${purpose}\0${payload}`).digest();
  return signature.toString('base64url', 0, SIGNATURE_BYTES);
}
