import type { MailError } from '../../../src/mail/outcome.ts';
import type { Verdict } from './case.ts';

/** "5xx is permanent, 4xx is temporary", whoever it is about. */
export function judge(error: MailError, tries: number): Verdict {
  if ((error.responseCode ?? 0) >= 500) return 'failed';
  return tries >= 5 ? 'failed' : 'again';
}
