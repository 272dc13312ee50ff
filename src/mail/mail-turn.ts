/**
 * A job that sends one mail. Few jobs of a queue run at once, and a mail server may take minutes to answer after it has all
 * of a mail: the job does not wait for that longer than MAIL_TURN_MS. The answer is settled when it comes, beside the jobs
 * that follow. There are never more such mails than connections.
 */
import { DRAIN_MS, MAIL_TURN_MS } from '../limits.ts';
import type { Mailing, SendOutcome } from './mailing.ts';
import type { Mail } from './transport.ts';

/** `T`: what the job returns. */
export interface MailTurn<T> {
  readonly mail: Pick<Mailing, 'send'>;
  /** The job's. When it aborts, the answer is waited for no longer than DRAIN_MS. */
  readonly signal: AbortSignal;
  /** The consumer's: takes what goes on after the turn. */
  readonly keep: (work: Promise<void>) => void;
  /** Records the outcome. */
  readonly settle: (outcome: SendOutcome) => Promise<T>;
  /** Called when an outcome that came after the turn could not be recorded. */
  readonly onFault: (error: unknown) => void;
}

/** Undefined when the server has the mail and its answer is late: the job must not send it again before LATE_MAIL_AGAIN_MS. */
export async function sendInTurn<T>(
  message: Mail,
  { mail, signal, keep, settle, onFault }: MailTurn<T>,
): Promise<T | undefined> {
  const giveUp = new AbortController();
  const late = Promise.withResolvers<undefined>();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => void setTimeout(() => giveUp.abort(), DRAIN_MS).unref();
  signal.addEventListener('abort', stop, { once: true });
  const onHandedOver = () => {
    timer ??= setTimeout(() => late.resolve(undefined), MAIL_TURN_MS);
  };
  const settled = mail
    .send(message, { withdraw: signal, giveUp: giveUp.signal, onHandedOver })
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    })
    .then(settle);
  const turn = await Promise.race([settled, late.promise]);
  if (turn === undefined) keep(settled.then(() => undefined, onFault));
  return turn;
}
