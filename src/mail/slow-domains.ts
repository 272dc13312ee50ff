/**
 * What it is: mails to domains whose servers take long have a few places of their own, and no others.
 * What fails without it: a mail server that asks the recipient's before it answers (a callout, a tarpit) takes minutes for
 *   each mail to a slow domain. A few such domains take every connection and every place of a queue together, and nobody
 *   else can reset a password meanwhile. A limit for each domain does not help: there are always more domains.
 * How it works: a mail that is with the server for longer than MAIL_PATIENCE_MS, and much longer than others usually are,
 *   makes its domain a slow one. It moves to one of the slow places, one for each domain, and leaves its own to others.
 *   If none is free it is broken off and comes back later with the others to its domain, which from then on only ask for
 *   slow places: they never wait, but are told when to come back, each a little later than the one before. A mail that goes
 *   through in time makes its domain an ordinary one.
 *   A mail of which the server has all is never broken off, or it could arrive twice. If its answer takes much longer than
 *   answers usually do, it moves as well, to one of SMTP_LATE_CONNECTIONS_MAX further places when the slow ones are taken.
 *   Its domain is only blamed for that when mails to other domains that came after it have been answered: a server that
 *   looks at every mail for a minute before it takes it is slow to everybody, and keeps all its connections.
 * What it costs: a mail that is broken off is begun again. A slow domain gets one mail at a time. A server whose answers
 *   begin to take long gets more connections at once, until some have come.
 * Its bound: SMTP_SLOW_CONNECTIONS_MAX and SMTP_LATE_CONNECTIONS_MAX, besides SMTP_CONNECTIONS_MAX; MAIL_DOMAINS_MAX domains
 *   in mind. Each domain that is not known yet keeps a place for MAIL_PATIENCE_MS, once; where all of these places have mails
 *   that wait for their answer, others wait for the first of the answers.
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
  SMTP_LATE_CONNECTIONS_MAX,
  SMTP_SLOW_CONNECTIONS_MAX,
} from '../limits.ts';

export interface SlowDomains {
  /** What a mail to this domain may do now. */
  enter(domain: string): Admission | ComeBack;
  /** Mails in slow places, and those whose answer is late. */
  readonly active: number;
}

export interface ComeBack {
  readonly againInMs: number;
}

export interface Admission {
  /** Whether it has a slow place, and needs no other; otherwise it needs an ordinary one until `moved`. */
  readonly hasPlace: boolean;
  /** Resolves when it has moved to another place. */
  readonly moved: Promise<void>;
  /** Aborted when its domain is slow and all slow places are taken: it comes back after `againInMs()`. */
  readonly breakOff: AbortSignal;
  againInMs(): number;
  /** The mail is with the server from now until what this returns is called. */
  begin(): () => void;
  /** The server has all of it. */
  handedOver(): void;
  leave(): void;
}

/** A mail that the server has all of, and has not answered. */
interface Unanswered {
  readonly domain: string;
  readonly since: number;
  /** Mails to another domain that came after it were answered, in much less time. */
  isOvertaken: boolean;
}

export function createSlowDomains(now: () => number = () => performance.now()): SlowDomains {
  const slow = new LRUCache<string, { tookMs: number; comeBackAt: number }>({ max: MAIL_DOMAINS_MAX });
  /** The domains whose mails have the slow places. */
  const placed = new Set<string>();
  const unanswered = new Set<Unanswered>();
  /** Of these, those that are in neither an ordinary nor a slow place. */
  const late = new Set<Unanswered>();
  /** For how long a mail in an ordinary place is with the server until it has all of it, and from then to its answer. */
  const usual = { handingOver: createMean(), answer: createMean() };

  function takePlace(domain: string): boolean {
    if (placed.has(domain) || placed.size >= SMTP_SLOW_CONNECTIONS_MAX) return false;
    placed.add(domain);
    return true;
  }

  function takeLatePlace(mail: Unanswered): void {
    if (late.size < SMTP_LATE_CONNECTIONS_MAX) late.add(mail);
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

  /** Whose domains are slow is seen by the mails that came after theirs. */
  function noteAnswer(mail: Unanswered): void {
    const patienceMs = patienceFor(now() - mail.since);
    for (const other of unanswered) {
      const waitedMs = now() - other.since;
      if (other.domain === mail.domain || other.since >= mail.since || waitedMs < patienceMs) continue;
      other.isOvertaken = true;
      note(other.domain, waitedMs);
    }
  }

  function admit(domain: string, hasPlace: boolean): Admission {
    let isPlaced = hasPlace;
    let begunAt = 0;
    let mail: Unanswered | undefined;
    let hasLeft = false;
    const moved = Promise.withResolvers<void>();
    const breakOff = new AbortController();

    const hasMoved = () => isPlaced || (mail !== undefined && late.has(mail));

    function judge(): void {
      if (hasMoved()) return;
      if (mail === undefined) {
        const tookMs = now() - begunAt;
        if (tookMs < patienceToHandOver()) return;
        note(domain, tookMs);
        isPlaced = takePlace(domain);
        if (!isPlaced) breakOff.abort();
      } else {
        if (!mail.isOvertaken && now() - mail.since < patienceFor(usual.answer.mean)) return;
        isPlaced = takePlace(domain);
        if (!isPlaced) takeLatePlace(mail);
      }
      if (hasMoved()) moved.resolve();
    }

    function answered(): void {
      if (breakOff.signal.aborted) return;
      const tookMs = now() - begunAt;
      const handingOverMs = (mail?.since ?? now()) - begunAt;
      if (handingOverMs < patienceToHandOver() && mail?.isOvertaken !== true) slow.delete(domain);
      else note(domain, tookMs);
      if (mail !== undefined) {
        unanswered.delete(mail);
        noteAnswer(mail);
      }
      if (hasPlace) return;
      usual.handingOver.add(handingOverMs);
      if (mail !== undefined) usual.answer.add(now() - mail.since);
    }

    return {
      hasPlace,
      moved: moved.promise,
      breakOff: breakOff.signal,
      againInMs: () => againInMs(domain),
      begin() {
        begunAt = now();
        const timer = setInterval(judge, MAIL_PATIENCE_MS.min);
        return () => {
          clearInterval(timer);
          answered();
        };
      },
      handedOver() {
        // The same mail, over another connection; or the server refused it before it had all of it.
        if (mail !== undefined || hasLeft) return;
        mail = { domain, since: now(), isOvertaken: false };
        unanswered.add(mail);
      },
      leave() {
        hasLeft = true;
        if (isPlaced) placed.delete(domain);
        if (mail === undefined) return;
        unanswered.delete(mail);
        late.delete(mail);
      },
    };
  }

  function patienceToHandOver(): number {
    return Math.min(MAIL_PATIENCE_MS.max, patienceFor(usual.handingOver.mean));
  }

  return {
    enter(domain) {
      if (!slow.has(domain)) return admit(domain, false);
      return takePlace(domain) ? admit(domain, true) : { againInMs: againInMs(domain) };
    },
    get active() {
      return placed.size + late.size;
    },
  };
}

/** Where others take `usualMs`. */
function patienceFor(usualMs: number): number {
  return Math.max(MAIL_PATIENCE_MS.min, MAIL_PATIENCE_SHARE * usualMs);
}

/** Of the last ones, each weighing MAIL_USUAL_WEIGHT; 0 when there was none. */
function createMean() {
  let mean: number | undefined;
  return {
    add(value: number) {
      mean = value * MAIL_USUAL_WEIGHT + (mean ?? value) * (1 - MAIL_USUAL_WEIGHT);
    },
    get mean() {
      return mean ?? 0;
    },
  };
}
