/** What of a request and its answer is kept for its repetition (idempotency-key), so that the table shows neither. */
import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';

export interface SealedRequest {
  readonly key: string;
  /** The service's own, which is not in the database: clients may send keys that can be guessed. */
  readonly secretKey: string;
  /** All that decides what it does: method, address and body. */
  readonly parameters: readonly (string | Uint8Array)[];
}

interface Secrets {
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

export function hashOf(parts: readonly (string | Uint8Array)[]): Buffer {
  // The length in front keeps ['ab', 'c'] and ['a', 'bc'] apart.
  const bytes = parts.flatMap((part) => [Buffer.from(`${part.length}:`), Buffer.from(part as string)]);
  return hash('sha256', Buffer.concat(bytes), 'buffer');
}

/** With SECRET_KEY: a plain hash of a request with a password in it would let whoever reads the table try passwords quickly. */
export function requestHash({ parameters, secretKey }: Pick<SealedRequest, 'parameters' | 'secretKey'>): Buffer {
  return createHmac('sha256', secretKey).update(hashOf(parameters)).digest();
}

const SECRET_BYTES = 8;

/** Which SECRET_KEY it was made with stands in front, for another one makes another hash of the same request. */
export function namedHash(request: SealedRequest): Buffer {
  return Buffer.concat([secretName(request.secretKey), requestHash(request)]);
}

export function isOfSecret(named: Buffer, { secretKey }: Pick<SealedRequest, 'secretKey'>): boolean {
  return named.subarray(0, SECRET_BYTES).equals(secretName(secretKey));
}

function secretName(secretKey: string): Buffer {
  return createHmac('sha256', secretKey).update('which SECRET_KEY').digest().subarray(0, SECRET_BYTES);
}

/** The length of the cookies, these as JSON, and the body. */
function packed(cookies: readonly string[], body: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(cookies));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, body]);
}

function unpacked(bytes: Buffer): Secrets {
  const bodyAt = 4 + bytes.readUInt32BE();
  return { cookies: JSON.parse(bytes.subarray(4, bodyAt).toString()) as string[], body: bytes.subarray(bodyAt) };
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function sealed(cookies: readonly string[], body: Buffer, request: SealedRequest): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, cipherKey(request), nonce);
  return Buffer.concat([nonce, cipher.update(packed(cookies, body)), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined for one that was sealed with other keys. */
export function unsealed(stored: Buffer, request: SealedRequest): Secrets | undefined {
  const decipher = createDecipheriv(CIPHER, cipherKey(request), stored.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(stored.subarray(-TAG_BYTES));
  try {
    return unpacked(Buffer.concat([decipher.update(stored.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}

/** Who reads the table has neither of the two. */
function cipherKey({ key, secretKey }: SealedRequest): Buffer {
  return Buffer.from(hkdfSync('sha256', key, secretKey, 'idempotent answer', 32));
}
