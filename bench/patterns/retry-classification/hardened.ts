import { type MailError, outcomeOf } from '../../../src/mail/outcome.ts';
import type { Verdict } from './case.ts';

/** Only what is about the recipient or the mail ends one; the rest does not count as a try. */
export function judge(error: MailError, tries: number): Verdict {
  const outcome = outcomeOf(error, false);
  if (outcome.kind === 'held') return 'held';
  if (outcome.kind === 'refused') return 'failed';
  return tries >= 5 ? 'failed' : 'again';
}
