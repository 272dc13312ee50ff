import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Personal links are computed, not stored: the token names the reach-out and carries 128 bits of HMAC over it, so the
 * database holds nothing that opens a conversation, and a mail sent again carries the same link.
 * One key, two purposes: a check-in link does not unsubscribe, and the other way round.
 */
export type LinkPurpose = 'check-in' | 'unsubscribe';

export interface LinkTarget {
  readonly orgId: number;
  readonly reachOutId: number;
}

const SIGNATURE_BYTES = 16;

export function createLinkToken(secretKey: string, purpose: LinkPurpose, target: LinkTarget): string {
  const payload = `${target.orgId.toString(36)}.${target.reachOutId.toString(36)}`;
  return `${payload}.${sign(secretKey, purpose, payload)}`;
}

/** Undefined for a token that is not ours or was made for another purpose. Expiry is the campaign's, in the database. */
export function readLinkToken(secretKey: string, purpose: LinkPurpose, token: string): LinkTarget | undefined {
  const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{22})$/.exec(token);
  if (match === null) return undefined;
  const [, org = '', reachOut = '', signature = ''] = match;
  // As text, not as bytes: the last letter carries bits that no byte needs, and every link has one spelling.
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(secretKey, purpose, `${org}.${reachOut}`))))
    return undefined;
  return { orgId: Number.parseInt(org, 36), reachOutId: Number.parseInt(reachOut, 36) };
}

function sign(secretKey: string, purpose: LinkPurpose, payload: string): string {
  const signature = createHmac('sha256', secretKey).update(`${purpose}\0${payload}`).digest();
  return signature.toString('base64url', 0, SIGNATURE_BYTES);
}
