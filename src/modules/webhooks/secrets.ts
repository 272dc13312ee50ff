import { createSecretBox, type SecretBox } from '../../http/secret-box.ts';

export function createWebhookBox(secretKey: string): SecretBox {
  return createSecretBox(secretKey, 'webhook secrets');
}

export function sealSecret(box: SecretBox, orgId: number, secret: string): Buffer {
  return box.seal(placeOf(orgId), secret);
}

/** Undefined when it was sealed under another SECRET_KEY. */
export function openSecret(box: SecretBox, orgId: number, sealed: Buffer): string | undefined {
  try {
    return box.open(placeOf(orgId), sealed);
  } catch {
    return undefined;
  }
}

const placeOf = (orgId: number) => `organisation ${orgId}`;
