import { createPasswordHasher } from '../../../src/http/password-hashing.ts';

/** As memory-hard as a nano can pay for, a few at once, a bounded line behind them. */
export function createHasher(): { hash(password: string): Promise<string> } {
  return createPasswordHasher();
}
