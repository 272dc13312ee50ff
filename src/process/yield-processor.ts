import { setPriority } from 'node:os';
import { MAILER_NICE } from '../limits.ts';

/** Where processes share a processor, those that answer people go first: nobody waits for a mail's millisecond. */
export function yieldProcessor(): void {
  setPriority(MAILER_NICE);
}
