/**
 * Tells the owners of an organisation by mail that one of its webhooks was disabled, each of them once. Who has yet to
 * hear is in the row of the endpoint, so a job that Redis loses is enqueued again, and one that runs twice finds nobody.
 * A crash between the mail and its note sends it twice, with the same Message-ID.
 */
import type { Queue } from 'bullmq';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { LATE_MAIL_AGAIN_MS } from '../../limits.ts';
import { sendInTurn } from '../../mail/mail-turn.ts';
import type { SendOutcome } from '../../mail/mailing.ts';
import type { Turn } from '../../queue/queues.ts';
import type { JobsContext } from '../faces.ts';
import { WEBHOOK_NOTICE_AGAIN_MS, WEBHOOK_NOTICES_SWEPT_MAX } from './limits.ts';
import { noticeMail } from './notice-mail.ts';
import { nextNotice, recordTold, untoldEndpoints } from './notice-queries.ts';

/** The queue's name, which is also its consumer's. */
export const NOTICE_QUEUE = 'webhook-notices';

export interface NoticeJob {
  readonly orgId: number;
  readonly endpointId: number;
}

/** One job for an endpoint, however often it is enqueued. */
export async function enqueueNotices(queue: Queue, jobs: readonly NoticeJob[]): Promise<void> {
  await queue.addBulk(
    jobs.map(({ orgId, endpointId }) => ({
      name: 'tell',
      data: { orgId, endpointId } satisfies NoticeJob,
      opts: { jobId: `notice-${orgId}-${endpointId}` },
    })),
  );
}

/** Redis can lose a job. */
export async function sweepNotices({ database }: Pick<JobsContext, 'database'>, queue: Queue): Promise<void> {
  const found = await untoldEndpoints(database.primary(EVERY_ORGANISATION), WEBHOOK_NOTICES_SWEPT_MAX);
  if (found.length > 0) await enqueueNotices(queue, found);
}

/** One owner in each turn. */
export async function tellNextOwner(
  { config, database, mail, log }: Pick<JobsContext, 'config' | 'database' | 'mail' | 'log'>,
  { orgId, endpointId }: NoticeJob,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
): Promise<Turn> {
  const primary = database.primary(orgId);
  const notice = await nextNotice(primary, orgId, endpointId);
  if (notice === undefined) {
    await recordTold(primary, orgId, endpointId);
    return 'finished';
  }
  const owner = notice.owner.id;
  async function settle(outcome: SendOutcome): Promise<Turn> {
    switch (outcome.kind) {
      case 'sent':
      case 'unanswered': // it has most likely arrived
        break;
      case 'refused':
        log.warn({ orgId, endpointId, owner }, 'the mail about a disabled webhook was refused for good');
        break;
      case 'held':
        return { againInMs: Math.max(outcome.againInMs, WEBHOOK_NOTICE_AGAIN_MS) };
      default:
        return { againInMs: WEBHOOK_NOTICE_AGAIN_MS };
    }
    await recordTold(primary, orgId, endpointId, owner);
    return { againInMs: 0 };
  }

  const onFault = (err: unknown) =>
    log.error({ err, orgId, endpointId }, 'that an owner was told could not be recorded');
  const turn = await sendInTurn(noticeMail(config, { orgId, endpointId }, notice), {
    ...{ mail, signal, keep, settle, onFault },
  });
  return turn ?? { againInMs: LATE_MAIL_AGAIN_MS };
}
