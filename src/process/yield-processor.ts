import { setPriority } from 'node:os';
import { MAILER_NICE } from '../limits.ts';

/** When processes share a CPU, those that serve people go first: no request waits while mails are being sent. */
export function yieldProcessor(): void {
  setPriority(MAILER_NICE);
}
