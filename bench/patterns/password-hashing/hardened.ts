import { createPasswordHasher } from '../../../src/http/password-hashing.ts';
import type { Hasher } from './case.ts';

/** The same hash behind a semaphore: as many at once as leave a core free, and a bounded line. */
export function createHasher(): Hasher {
  return createPasswordHasher();
}
