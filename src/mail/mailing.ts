import { setTimeout as sleep } from 'node:timers/promises';
import { createCircuitBreaker, type WaitRange } from '../flow/circuit-breaker.ts';
import { createFairQueue } from '../flow/fair-queue.ts';
import type { Throttle } from '../flow/throttle.ts';
import {
  MAIL_HELD_WAIT,
  MAIL_QUOTA_WAIT,
  MAIL_RATE_WAIT,
  SMTP_CONNECTIONS_MAX,
  SMTP_CONNECTIONS_PER_DOMAIN_MAX,
} from '../limits.ts';
import { createAnswerTime } from './answer-time.ts';
import { createDomainPace, type DomainPace } from './domain-pace.ts';
import type { Held, MailOutcome } from './outcome.ts';
import { type Admission, createSlowDomains } from './slow-domains.ts';
import type { Mail, Transport } from './transport.ts';

/** `againInMs`: when the server is worth another try. `asked`: this mail itself was refused, not only those before it. */
export type HeldBack = Held & { readonly againInMs: number; readonly asked: boolean };

export type SendOutcome = Exclude<MailOutcome, Held> | HeldBack | PutOff;

/** Not handed over: its domain has had its mails for the moment, or takes long for them. */
export interface PutOff {
  readonly kind: 'put off';
  readonly againInMs: number;
}

export interface SendOptions {
  /** Once it is aborted, the mail is not handed over any more; one that is under way goes on. */
  readonly withdraw?: AbortSignal;
  /** Once it is aborted, the answer to a mail that is under way is not waited for. */
  readonly giveUp?: AbortSignal;
  /** Called when the server has all of the mail, and owes the answer. */
  readonly onHandedOver?: () => void;
}

/** Sends all mails of a process. */
export interface Mailing {
  /**
   * Waits for the rate of the recipient's domain, for one of SMTP_CONNECTIONS_MAX places, in turns between the domains,
   * and for the provider's rate, then sends. A domain whose server takes long has other places, and its mails are put
   * off instead of waiting (slow-domains). While the server takes no mail from us, all but one probe at a time are
   * held back at once.
   */
  send(mail: Mail, options?: SendOptions): Promise<SendOutcome>;
  readonly inFlight: number;
  /** Mails a second, as agreed with the provider or as it lets us. */
  readonly perSecond: number;
  readonly isHeld: boolean;
  /** How long the mail server takes over a mail; 0 while it takes none from us. */
  readonly answerSeconds: number;
}

export function createMailing(
  transport: Pick<Transport, 'send'>,
  throttle: Throttle,
  domainPace: DomainPace = createDomainPace(0),
): Mailing {
  // In turns between the recipients' domains: some servers ask the recipient's before they answer.
  const places = createFairQueue({ atOnce: SMTP_CONNECTIONS_MAX, perKey: SMTP_CONNECTIONS_PER_DOMAIN_MAX });
  const breaker = createCircuitBreaker(waitAfter);
  const taken = createSecondCounter();
  const answerTime = createAnswerTime();
  const slowDomains = createSlowDomains();

  async function sendInPlace(
    mail: Mail,
    admission: Admission,
    { withdraw, giveUp, onHandedOver }: SendOptions,
  ): Promise<SendOutcome> {
    if (withdraw?.aborted === true) return { kind: 'withdrawn' };
    const pass = breaker.enter();
    if (pass.refused) return { ...pass.fault, againInMs: pass.againInMs, asked: false };
    try {
      try {
        await throttle.pass(withdraw);
      } catch (error) {
        if ((error as Error).name === 'AbortError') return { kind: 'withdrawn' };
        throw error;
      }
      const answered = [answerTime.begin(), admission.begin()];
      const handedOver = () => {
        admission.handedOver();
        onHandedOver?.();
      };
      const outcome = await transport
        .send(mail, giveUp, { breakOff: admission.breakOff, handedOver })
        .finally(() => answered.forEach((end) => void end()));
      switch (outcome.kind) {
        case 'held': {
          if (outcome.about === 'rate' && !breaker.isOpen) throttle.slowDown(taken.inLastSecond());
          return { ...outcome, againInMs: pass.failed(outcome), asked: true };
        }
        case 'withdrawn':
          return admission.breakOff.aborted ? { kind: 'put off', againInMs: admission.againInMs() } : outcome;
        case 'sent':
          taken.count();
          pass.succeeded();
          return outcome;
        case 'refused':
        case 'deferred':
        case 'unanswered':
          pass.succeeded(); // the server listened to us
          return outcome;
      }
    } finally {
      pass.unused();
    }
  }

  async function sendInTurn(
    domain: string,
    mail: Mail,
    admission: Admission,
    options: SendOptions,
  ): Promise<SendOutcome> {
    const turn = breaker.isOpen ? { waitMs: 0 } : domainPace.take(domain); // the probe comes at its own time
    if ('againInMs' in turn) return { kind: 'put off', againInMs: turn.againInMs };
    try {
      if (turn.waitMs > 0) await sleep(turn.waitMs, undefined, signalOf(options)).catch(() => undefined);
      if (admission.hasPlace) return await sendInPlace(mail, admission, options);
      let sending: Promise<SendOutcome> | undefined;
      const begin = async () => {
        sending = sendInPlace(mail, admission, options);
        await Promise.race([sending, admission.moved]);
      };
      await places.run(domain, begin, options.withdraw);
      return await (sending as unknown as Promise<SendOutcome>);
    } catch (error) {
      if (options.withdraw?.aborted === true && error === options.withdraw.reason) return { kind: 'withdrawn' };
      throw error;
    }
  }

  return {
    async send(mail, options = {}) {
      const domain = domainOf(mail.to);
      const admission = slowDomains.enter(domain);
      if (!('leave' in admission)) return { kind: 'put off', againInMs: admission.againInMs };
      try {
        return await sendInTurn(domain, mail, admission, options);
      } finally {
        admission.leave();
      }
    },
    get inFlight() {
      return places.active + slowDomains.active;
    },
    get perSecond() {
      return throttle.perSecond;
    },
    get isHeld() {
      return breaker.isOpen;
    },
    get answerSeconds() {
      return breaker.isOpen ? 0 : answerTime.mean(); // it has refused us, which is another matter
    },
  };
}

/** A quota is renewed by the hour or by the day: asking every few seconds only makes the provider angry. */
function waitAfter({ about, isQuota }: Held): WaitRange {
  if (isQuota === true) return MAIL_QUOTA_WAIT;
  return about === 'rate' ? MAIL_RATE_WAIT : MAIL_HELD_WAIT;
}

function signalOf({ withdraw }: SendOptions): { signal?: AbortSignal } {
  return withdraw === undefined ? {} : { signal: withdraw };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** Counts in tenths of a second: exact enough to tell a rate. */
function createSecondCounter() {
  const tenths = new Map<number, number>();
  const tenth = () => Math.floor(performance.now() / 100);
  return {
    count() {
      const now = tenth();
      tenths.set(now, (tenths.get(now) ?? 0) + 1);
      for (const old of tenths.keys()) if (old <= now - 10) tenths.delete(old);
    },
    inLastSecond() {
      const now = tenth();
      return [...tenths].reduce((sum, [at, count]) => (at > now - 10 ? sum + count : sum), 0);
    },
  };
}
