/**
 * What it is: at most so many mails a second to the addresses of one domain.
 * What fails without it: a company's own server defers or blocks a sender that brings thousands of mails at once, long
 *   before the rate that the provider has agreed to is reached.
 * How it works: each domain has the time of its next mail. One that is due soon is waited for; any other is not kept
 *   here but told when to come back, each a little later than the one before, so that mails to other domains go on and
 *   the crowd does not come back at once.
 * What it costs: a mail that comes back is written into the ledger once more.
 * Its bound: MAIL_DOMAINS_MAX domains, the last used; MAIL_DOMAIN_AHEAD_MS of what is put off.
 * Its proof: test/mail/domain-pace.test.ts.
 */
import { LRUCache } from 'lru-cache';
import { MAIL_DOMAIN_AHEAD_MS, MAIL_DOMAIN_WAIT_MS, MAIL_DOMAINS_MAX } from '../limits.ts';

export interface DomainPace {
  /** How long to wait before the mail is sent, or after how long to ask again. */
  take(domain: string): { readonly waitMs: number } | { readonly againInMs: number };
}

/** `perSecond`: of this process; 0 is no limit. */
export function createDomainPace(perSecond: number, now: () => number = () => performance.now()): DomainPace {
  if (perSecond <= 0) return { take: () => ({ waitMs: 0 }) };
  const spacingMs = 1_000 / perSecond;
  const domains = new LRUCache<string, { nextAt: number; putOffTo: number }>({ max: MAIL_DOMAINS_MAX });
  return {
    take(domain) {
      const time = now();
      const known = domains.get(domain) ?? { nextAt: time, putOffTo: time };
      domains.set(domain, known);
      const sendAt = Math.max(known.nextAt, time);
      if (sendAt - time <= Math.max(MAIL_DOMAIN_WAIT_MS, spacingMs)) {
        known.nextAt = sendAt + spacingMs;
        return { waitMs: sendAt - time };
      }
      const aheadMs = Math.max(known.putOffTo, sendAt) + spacingMs - time;
      known.putOffTo = time + (aheadMs > MAIL_DOMAIN_AHEAD_MS ? sendAt - time : aheadMs);
      return { againInMs: Math.min(aheadMs, MAIL_DOMAIN_AHEAD_MS) };
    },
  };
}
