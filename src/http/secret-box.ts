/**
 * What it is: secrets that the server has to read again are stored encrypted (AES-256-GCM).
 * What fails without it: a backup of the database, or one SQL injection, is everybody's second factor.
 * How it works: each purpose has a key of its own, derived from SECRET_KEY (HKDF). `place` says where the secret belongs
 *   and is authenticated with it, so that a sealed secret that is copied to another row does not open.
 * What it costs: 28 bytes and some microseconds. A new SECRET_KEY opens none of the old ones.
 * Its bound: none needed. Its proof: test/http/secret-box.test.ts.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface SecretBox {
  seal(place: string, secret: string): Buffer;
  /** Throws when it was sealed with another key, for another place, or was changed. */
  open(place: string, sealed: Buffer): string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSecretBox(secretKey: string, purpose: string): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', `sealed ${purpose}`, 32));
  return {
    seal(place, secret) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    },
    open(place, sealed) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
      return decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}
