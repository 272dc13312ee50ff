/**
 * What it is: of the mails that are jobs of a queue (a password reset, an invitation, a notice), at most so many to the
 *   addresses of one domain are under way at a time.
 * What fails without it: a job holds one of its queue's few places for as long as its mail is under way, and a server may
 *   take minutes for each: four mails to it, and nobody else can reset a password meanwhile.
 * How it works: a mail whose domain has all of its places is not kept but told when to come back, soon where mails take
 *   no time, and late where one of them has been under way for long.
 * What it costs: the mail is read from the database once more when it comes back.
 * Its bound: MAIL_JOBS_PER_DOMAIN_MAX. As many slow domains as there are shares can still hold a queue together.
 * Its proof: test/mail/domain-places.test.ts, test/modules/accounts/jobs.test.ts.
 */
import { MAIL_DOMAIN_BUSY_MS, MAIL_DOMAIN_SLOW_MS, MAIL_JOBS_PER_DOMAIN_MAX } from '../limits.ts';

export interface DomainPlaces {
  /** Takes a place; or says after how long to ask again. */
  enter(domain: string): { leave(): void } | { readonly againInMs: number };
}

export function createDomainPlaces(now: () => number = () => performance.now()): DomainPlaces {
  /** By domain: when its mails began, the longest first. */
  const underWay = new Map<string, Set<{ readonly since: number }>>();
  return {
    enter(domain) {
      const own = underWay.get(domain) ?? new Set();
      const [longest] = own;
      if (longest !== undefined && own.size >= MAIL_JOBS_PER_DOMAIN_MAX) {
        const isSlow = now() - longest.since > MAIL_DOMAIN_BUSY_MS;
        return { againInMs: isSlow ? MAIL_DOMAIN_SLOW_MS : MAIL_DOMAIN_BUSY_MS };
      }
      const mail = { since: now() };
      underWay.set(domain, own.add(mail));
      return {
        leave() {
          own.delete(mail);
          if (own.size === 0) underWay.delete(domain);
        },
      };
    },
  };
}
