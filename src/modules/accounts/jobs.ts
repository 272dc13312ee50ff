import type { Queue } from 'bullmq';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { LATE_MAIL_AGAIN_MS } from '../../limits.ts';
import { sendInTurn } from '../../mail/mail-turn.ts';
import type { SendOutcome } from '../../mail/mailing.ts';
import type { Turn } from '../../queue/queues.ts';
import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { toAccountMail } from './account-mail.ts';
import { letter, recordMailed, unmailedLetters } from './letter-queries.ts';
import {
  ACCOUNT_MAIL_AGAIN_MS,
  ACCOUNT_MAIL_DEFERRED_MS_MAX,
  ACCOUNT_MAIL_SWEEP_EVERY_MS,
  ACCOUNT_MAILS_SWEPT_MAX,
  ACCOUNT_MAILS_TRIED_MAX,
} from './limits.ts';
import type { LinkKind } from './mailed-link.ts';
import { startPasswordResets } from './password-reset.ts';

/** The queue's name, which is also its consumer's. */
export const ACCOUNT_MAIL_QUEUE = 'account-mails';

/** Ids only: the address and the link are made of them when the mail is sent. */
export interface AccountMailJob {
  readonly orgId: number;
  readonly kind: LinkKind;
  readonly id: number;
}

/** By job: how often the mailbox could not take its mail, and whether the server had it once and did not answer. */
type Tried = LRUCache<string, { readonly deferred: number; readonly unanswered: boolean }>;

export function jobs(context: JobsContext): Jobs {
  const queue = context.queue(ACCOUNT_MAIL_QUEUE);
  const tried: Tried = new LRUCache({ max: ACCOUNT_MAILS_TRIED_MAX });
  return {
    topics: {
      'account.mail-wanted': (events) =>
        enqueueMails(
          queue,
          events.map(({ orgId, payload }) => ({ orgId, ...payload })),
        ),
      'account.password-reset-wanted': (events, transaction) =>
        startPasswordResets(
          transaction,
          events.map(({ payload }) => payload),
        ),
    },
    consumers: {
      [ACCOUNT_MAIL_QUEUE]: (job: AccountMailJob, signal, keep) => sendAccountMail(context, job, signal, keep, tried),
    },
    loops: [every(ACCOUNT_MAIL_SWEEP_EVERY_MS, 'account mail sweep', () => sweepAccountMails(context.database, queue))],
  };
}

/** One mail at a time of a link, however often it is enqueued. */
async function enqueueMails(queue: Queue, mails: AccountMailJob[]): Promise<void> {
  await queue.addBulk(mails.map((data) => ({ name: 'send', data, opts: { jobId: jobIdOf(data) } })));
}

function jobIdOf({ orgId, kind, id }: AccountMailJob): string {
  return `${kind}-${orgId}-${id}`;
}

/** Redis can lose a job: whatever has waited for a minute is enqueued again. */
export async function sweepAccountMails(database: Database, queue: Queue): Promise<void> {
  const found = await unmailedLetters(database.primary(EVERY_ORGANISATION), ACCOUNT_MAILS_SWEPT_MAX);
  if (found.length > 0) await enqueueMails(queue, found);
}

/**
 * Tries again until the server has taken the mail, has refused it for good, or the link in it has expired. A server that had
 * all of it and did not answer most likely took it; after a break it is sent once more, and not each minute for a week.
 */
export async function sendAccountMail(
  { config, database, mail, log }: Pick<JobsContext, 'config' | 'database' | 'mail' | 'log'>,
  { orgId, kind, id }: AccountMailJob,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
  tried: Tried,
): Promise<Turn> {
  const primary = database.primary(kind === 'registration' ? EVERY_ORGANISATION : orgId);
  const found = await letter(primary, orgId, kind, id);
  if (found === undefined) return 'finished';

  const key = jobIdOf({ orgId, kind, id });

  async function mailed(problem: string | null): Promise<Turn> {
    tried.delete(key); // it may be asked for again
    await recordMailed(primary, orgId, kind, id, problem);
    return 'finished';
  }

  async function settle(outcome: SendOutcome): Promise<Turn> {
    switch (outcome.kind) {
      case 'sent':
        return mailed(null);
      case 'refused':
        log.warn({ orgId, kind, id }, 'a mail about an account was refused for good');
        return mailed(outcome.reason);
      case 'held':
        return { againInMs: Math.max(outcome.againInMs, ACCOUNT_MAIL_AGAIN_MS) };
      case 'put off':
        return { againInMs: outcome.againInMs };
      case 'unanswered': {
        const before = tried.get(key);
        if (outcome.after === 'silence' || before?.unanswered === true) {
          log.warn({ orgId, kind, id }, 'a mail about an account has most likely arrived: the server did not say');
          return mailed(outcome.reason);
        }
        tried.set(key, { deferred: 0, ...before, unanswered: true });
        return { againInMs: ACCOUNT_MAIL_AGAIN_MS };
      }
      case 'deferred': {
        const before = tried.get(key) ?? { deferred: 0, unanswered: false };
        tried.set(key, { ...before, deferred: before.deferred + 1 });
        return { againInMs: Math.min(ACCOUNT_MAIL_AGAIN_MS * 2 ** before.deferred, ACCOUNT_MAIL_DEFERRED_MS_MAX) };
      }
      case 'withdrawn':
        return { againInMs: ACCOUNT_MAIL_AGAIN_MS };
    }
  }

  const onFault = (err: unknown) => log.error({ err, orgId, kind, id }, 'that a mail was sent could not be recorded');
  const turn = await sendInTurn(toAccountMail(config, { ...found, orgId, id }), {
    ...{ mail, signal, keep, settle, onFault },
  });
  return turn ?? { againInMs: LATE_MAIL_AGAIN_MS };
}
