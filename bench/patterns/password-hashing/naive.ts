import { argon2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Hasher } from './case.ts';

const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const derive = promisify(argon2);

/** A good hash, computed for everyone at once. */
export function createHasher(): Hasher {
  return {
    async hash(password) {
      const salt = randomBytes(16);
      const tag = await derive('argon2id', { ...PARAMETERS, message: password, nonce: salt });
      return `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(salt)}$${unpadded(tag)}`;
    },
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
