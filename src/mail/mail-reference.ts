/**
 * What it is: a signed name for one mail, which travels with it and comes back with whatever is reported about it.
 * What fails without it: anybody who can send mail to us can say that an address has bounced or complained, and so keep
 *   an organisation from writing to whomever they like.
 * How it works: `<kind>.<organisation>.<row>.<signature>`, where the kind says which module sent the mail. It is the left
 *   side of the Message-ID, which providers and mailboxes quote, and with a domain for bounces also of the envelope's sender
 *   (VERP), to which servers return what they could not deliver. Lower case only: some servers rewrite that part.
 * What it costs: 60 characters. Whoever has received a mail can report it, which concerns nobody but them.
 * Its bound: 62 characters at most, within the 64 of a local part. Its proof: test/mail/mail-reference.test.ts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LinkTarget } from './personal-link.ts';

export interface MailReference {
  /** Which module's mail it is. */
  readonly kind: string;
  readonly target: LinkTarget;
}

/** `kind`: up to 10 lower-case letters and hyphens. */
export function createReference(secretKey: string, { kind, target }: MailReference): string {
  const payload = `${kind}.${target.orgId.toString(36)}.${target.id.toString(36)}`;
  return `${payload}.${sign(secretKey, payload)}`;
}

/** From a reference alone, a Message-ID or the address of a bounce. Undefined for what we did not sign. */
export function readReference(secretKey: string, text: string): MailReference | undefined {
  if (text.length > REFERENCE_TEXT_CHARS_MAX) return undefined;
  const match = REFERENCE.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, kind = '', org = '', id = '', signature = ''] = match;
  const expected = sign(secretKey, `${kind}.${org}.${id}`);
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined;
  return { kind, target: { orgId: Number.parseInt(org, 36), id: Number.parseInt(id, 36) } };
}

/** The sender in the envelope of a mail: to this address servers return what they cannot deliver. */
export function bounceAddress(reference: string, domain: string): string {
  return `${BOUNCE_PREFIX}${reference}@${domain}`;
}

const BOUNCE_PREFIX = 'b+';
const SIGNATURE_CHARS = 24; // 96 bits
const REFERENCE_TEXT_CHARS_MAX = 400; // with a domain and the brackets of a Message-ID
const REFERENCE = new RegExp(
  `^<?(?:b\\+)?([a-z][a-z-]{0,9})\\.([0-9a-z]{1,11})\\.([0-9a-z]{1,11})\\.([0-9a-f]{${SIGNATURE_CHARS}})(?:@[^@<>\\s]+)?>?$`,
);

function sign(secretKey: string, payload: string): string {
  const signature = createHmac('sha256', secretKey).update(`mail reference\0${payload}`).digest('hex');
  return signature.slice(0, SIGNATURE_CHARS);
}
