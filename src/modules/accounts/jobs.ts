import type { Queue } from 'bullmq';
import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { Turn } from '../../queue/queues.ts';
import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { toAccountMail } from './account-mail.ts';
import { letter, recordMailed, unmailedLetters } from './letter-queries.ts';
import { ACCOUNT_MAIL_AGAIN_MS, ACCOUNT_MAIL_SWEEP_EVERY_MS, ACCOUNT_MAILS_SWEPT_MAX } from './limits.ts';
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

export function jobs(context: JobsContext): Jobs {
  const queue = context.queue(ACCOUNT_MAIL_QUEUE);
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
    consumers: { [ACCOUNT_MAIL_QUEUE]: (job: AccountMailJob, signal) => sendAccountMail(context, job, signal) },
    loops: [every(ACCOUNT_MAIL_SWEEP_EVERY_MS, 'account mail sweep', () => sweepAccountMails(context.database, queue))],
  };
}

/** One mail at a time of a link, however often it is enqueued. */
async function enqueueMails(queue: Queue, mails: AccountMailJob[]): Promise<void> {
  await queue.addBulk(
    mails.map((data) => ({ name: 'send', data, opts: { jobId: `${data.kind}-${data.orgId}-${data.id}` } })),
  );
}

/** Redis can lose a job: whatever has waited for a minute is enqueued again. */
export async function sweepAccountMails(database: Database, queue: Queue): Promise<void> {
  const found = await unmailedLetters(database.primary(EVERY_ORGANISATION), ACCOUNT_MAILS_SWEPT_MAX);
  if (found.length > 0) await enqueueMails(queue, found);
}

/** Tries again until the server has taken the mail, has refused it for good, or the link in it has expired. */
export async function sendAccountMail(
  { config, database, mail, log }: Pick<JobsContext, 'config' | 'database' | 'mail' | 'log'>,
  { orgId, kind, id }: AccountMailJob,
  signal: AbortSignal,
): Promise<Turn> {
  const primary = database.primary(kind === 'registration' ? EVERY_ORGANISATION : orgId);
  const found = await letter(primary, orgId, kind, id);
  if (found === undefined) return 'finished';
  const outcome = await mail.send(toAccountMail(config, { ...found, orgId, id }), { withdraw: signal });
  switch (outcome.kind) {
    case 'sent':
      await recordMailed(primary, orgId, kind, id, null);
      return 'finished';
    case 'refused':
      log.warn({ orgId, kind, id }, 'a mail about an account was refused for good');
      await recordMailed(primary, orgId, kind, id, outcome.reason);
      return 'finished';
    case 'held':
      return { againInMs: Math.max(outcome.againInMs, ACCOUNT_MAIL_AGAIN_MS) };
    case 'put off':
      return { againInMs: outcome.againInMs };
    default:
      return { againInMs: ACCOUNT_MAIL_AGAIN_MS };
  }
}
