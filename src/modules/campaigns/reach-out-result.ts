import { backoffMs } from '../../flow/backoff.ts';
import { MAIL_HELD_WAIT } from '../../limits.ts';
import type { SendOutcome } from '../../mail/mailing.ts';
import { isHardBounce } from '../../mail/outcome.ts';
import { type ClaimedReachOut, type ReachOutResult, SUPPRESSED } from './ledger.ts';
import { HELD_STEP_MS, MAIL_ATTEMPTS_MAX, MAIL_RETRY_MS } from './limits.ts';

/**
 * What becomes of a recipient. Only what is about the recipient or the mail ends one, and a mail that the server has
 * and never confirmed: after a silence it has most likely arrived, so it is not sent again unless a person says so.
 * After a break it is sent once more, with the same Message-ID, and counted.
 */
export function resultOf(
  reachOut: ClaimedReachOut,
  outcome: SendOutcome | 'unsubscribed' | typeof SUPPRESSED,
): ReachOutResult {
  if (outcome === 'unsubscribed' || outcome === SUPPRESSED) return ended(reachOut, 'skipped', outcome);
  switch (outcome.kind) {
    case 'sent':
      return ended(reachOut, 'sent', null);
    case 'refused':
      return { ...failed(reachOut, outcome.about, outcome.reason), isHardBounce: isHardBounce(outcome) };
    case 'deferred':
      if (reachOut.attempts >= MAIL_ATTEMPTS_MAX) return failed(reachOut, outcome.about, outcome.reason);
      return waiting(reachOut, outcome.reason, MAIL_RETRY_MS.base + backoffMs(reachOut.attempts, MAIL_RETRY_MS));
    case 'held': {
      if (!outcome.asked) return unsent(reachOut, outcome.reason);
      const waitMs = Math.min(MAIL_HELD_WAIT.max, HELD_STEP_MS * (reachOut.held + 1));
      return { ...unsent(reachOut, outcome.reason), dueInMs: Math.max(outcome.againInMs, waitMs), heldBack: true };
    }
    case 'unanswered':
      if (outcome.after === 'silence' || mayHaveIt(reachOut)) return failed(reachOut, 'unconfirmed', outcome.reason);
      return {
        ...waiting(reachOut, outcome.reason, MAIL_RETRY_MS.base + backoffMs(reachOut.attempts, MAIL_RETRY_MS)),
        cause: 'unconfirmed',
        possiblyTwice: true,
      };
    case 'put off':
      return { ...unsent(reachOut), dueInMs: outcome.againInMs };
    case 'withdrawn':
      return unsent(reachOut);
  }
}

/** As if it had not been claimed. */
export function unsent(reachOut: ClaimedReachOut, error: string | null = null): ReachOutResult {
  return { ...waiting(reachOut, error, 0), untried: true };
}

/** An earlier copy of it may have arrived. */
export function mayHaveIt({ interrupted, unconfirmed }: ClaimedReachOut): boolean {
  return interrupted || unconfirmed;
}

function waiting(reachOut: ClaimedReachOut, error: string | null, dueInMs: number): ReachOutResult {
  const cause = mayHaveIt(reachOut) ? 'unconfirmed' : null;
  return { ...ended(reachOut, 'waiting', error), cause, dueInMs };
}

function failed(reachOut: ClaimedReachOut, cause: ReachOutResult['cause'], error: string): ReachOutResult {
  return { ...ended(reachOut, 'failed', error), cause };
}

function ended(reachOut: ClaimedReachOut, status: ReachOutResult['status'], error: string | null): ReachOutResult {
  const { id, claim, interrupted } = reachOut;
  const nothingElse = { cause: null, dueInMs: null, untried: false, heldBack: false, isHardBounce: false };
  return { id, claim, status, error, ...nothingElse, possiblyTwice: interrupted };
}
