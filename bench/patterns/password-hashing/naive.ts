import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { MEMORY_HARD, TAG_BYTES } from './case.ts';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** The parameters that every guide recommends, as often at once as people sign in. */
export function createHasher(): { hash(password: string): Promise<string> } {
  return {
    async hash(password) {
      const salt = randomBytes(16);
      const tag = await derive(password, salt, TAG_BYTES, MEMORY_HARD);
      return `$scrypt$${salt.toString('base64')}$${tag.toString('base64')}`;
    },
  };
}
