/**
 * What a mail server or a provider reports about a mail after it was sent: a bounce or a complaint. The module that sent
 * the mail records it with its own row (its `feedback` face), and the address is suppressed, in one transaction.
 *
 * It changes nothing a second time: the module says that it has recorded the same thing before. Neither does a report about
 * a mail that nobody sent: the reference is signed, and its row must exist.
 */
import type { Database } from '../../db/read-write-split.ts';
import type { MailEvent } from '../../mail/mail-event.ts';
import type { MailReference } from '../../mail/mail-reference.ts';
import type { MailFeedback } from '../faces.ts';
import { insertSuppressions } from './queries.ts';

/** Whether it changed anything. */
export function takeMailEvent(
  database: Pick<Database, 'transact'>,
  feedbacks: readonly MailFeedback[],
  { kind, target }: MailReference,
  event: MailEvent,
): Promise<boolean> {
  const feedback = feedbacks.find((one) => one.kind === kind);
  if (feedback === undefined) return Promise.resolve(false);
  return database.transact(target.orgId, async (transaction) => {
    const address = await feedback.record(transaction, target, event);
    if (address === undefined) return false;
    if (event.kind === 'complaint' || event.permanent)
      await insertSuppressions(transaction, target.orgId, [{ address, reason: event.kind, detail: event.reason }]);
    return true;
  });
}
