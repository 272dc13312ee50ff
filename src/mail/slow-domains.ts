/**
 * What it is: mails to domains whose servers take long have a few places of their own, and no others.
 * What fails without it: a mail server that asks the recipient's before it answers (a callout, a tarpit) takes minutes for
 *   each mail to a slow domain. A few such domains take every connection and every place of a queue together, and nobody
 *   else can reset a password meanwhile. A limit for each domain does not help: there are always more domains.
 * How it works: a mail that is with the server for longer than MAIL_PATIENCE_MS, and much longer than others usually are,
 *   makes its domain a slow one. It moves to one of the slow places, one for each domain, and leaves its own to others.
 *   If none is free it is broken off, unless the server has all of it and could send it twice, and comes back later with
 *   the others to its domain, which from then on only ask for slow places: they never wait, but are told when to come
 *   back, each a little later than the one before. A mail that goes through in time makes its domain an ordinary one.
 * What it costs: a mail that is broken off is begun again. A slow domain gets one mail at a time.
 * Its bound: SMTP_SLOW_CONNECTIONS_MAX, besides SMTP_CONNECTIONS_MAX; MAIL_DOMAINS_MAX domains in mind. Each domain that is
 *   not known yet keeps a place for MAIL_PATIENCE_MS, once. A server that is slow only after it has all of a mail is not
 *   covered: such mails are never broken off.
 * Its proof: test/mail/slow-domains.test.ts, test/modules/accounts/jobs.test.ts, bench/patterns/slow-domains.
 */
import { LRUCache } from 'lru-cache';
import {
  MAIL_DOMAIN_AHEAD_MS,
  MAIL_DOMAIN_BUSY_MS,
  MAIL_DOMAINS_MAX,
  MAIL_PATIENCE_MS,
  MAIL_PATIENCE_SHARE,
  MAIL_USUAL_WEIGHT,
  SMTP_SLOW_CONNECTIONS_MAX,
} from '../limits.ts';

export interface SlowDomains {
  /** What a mail to this domain may do now. */
  enter(domain: string): Admission | ComeBack;
  /** Mails in slow places. */
  readonly active: number;
}

export interface ComeBack {
  readonly againInMs: number;
}

export interface Admission {
  /** Whether it has a slow place, and needs no other; otherwise it needs an ordinary one until `moved`. */
  readonly hasPlace: boolean;
  /** Resolves when it has moved to a slow place. */
  readonly moved: Promise<void>;
  /** Aborted when its domain is slow and all slow places are taken: it comes back after `againInMs()`. */
  readonly breakOff: AbortSignal;
  againInMs(): number;
  /** The mail is with the server from now until what this returns is called. */
  begin(): () => void;
  leave(): void;
}

export function createSlowDomains(now: () => number = () => performance.now()): SlowDomains {
  const slow = new LRUCache<string, { tookMs: number; comeBackAt: number }>({ max: MAIL_DOMAINS_MAX });
  /** The domains whose mails have the slow places. */
  const placed = new Set<string>();
  /** What mails to domains that were not known as slow take. */
  let usualMs: number | undefined;

  function takePlace(domain: string): boolean {
    if (placed.has(domain) || placed.size >= SMTP_SLOW_CONNECTIONS_MAX) return false;
    placed.add(domain);
    return true;
  }

  function note(domain: string, tookMs: number): void {
    slow.set(domain, { comeBackAt: now(), ...slow.get(domain), tookMs });
  }

  /** Spread over the time that the mails before it will take. */
  function againInMs(domain: string): number {
    const known = slow.get(domain) ?? { tookMs: 0, comeBackAt: 0 };
    const aheadMs = Math.max(known.comeBackAt - now(), 0) + Math.max(known.tookMs, MAIL_DOMAIN_BUSY_MS);
    if (aheadMs > MAIL_DOMAIN_AHEAD_MS) return MAIL_DOMAIN_AHEAD_MS;
    known.comeBackAt = now() + aheadMs;
    return aheadMs;
  }

  function admit(domain: string, hasPlace: boolean): Admission {
    let isPlaced = hasPlace;
    const moved = Promise.withResolvers<void>();
    const breakOff = new AbortController();

    function judge(tookMs: number): void {
      if (isPlaced || tookMs < patienceMs()) return;
      note(domain, tookMs);
      isPlaced = takePlace(domain);
      if (isPlaced) moved.resolve();
      else breakOff.abort();
    }

    return {
      hasPlace,
      moved: moved.promise,
      breakOff: breakOff.signal,
      againInMs: () => againInMs(domain),
      begin() {
        const since = now();
        const timer = setInterval(() => judge(now() - since), MAIL_PATIENCE_MS.min);
        return () => {
          clearInterval(timer);
          const tookMs = now() - since;
          if (breakOff.signal.aborted) return;
          if (tookMs < patienceMs()) slow.delete(domain);
          else note(domain, tookMs);
          if (!hasPlace) usualMs = tookMs * MAIL_USUAL_WEIGHT + (usualMs ?? tookMs) * (1 - MAIL_USUAL_WEIGHT);
        };
      },
      leave() {
        if (isPlaced) placed.delete(domain);
      },
    };
  }

  function patienceMs(): number {
    const { min, max } = MAIL_PATIENCE_MS;
    return Math.min(max, Math.max(min, MAIL_PATIENCE_SHARE * (usualMs ?? 0)));
  }

  return {
    enter(domain) {
      if (!slow.has(domain)) return admit(domain, false);
      return takePlace(domain) ? admit(domain, true) : { againInMs: againInMs(domain) };
    },
    get active() {
      return placed.size;
    },
  };
}
