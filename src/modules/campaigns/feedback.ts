/**
 * What is reported about a campaign's mail after the server took it. A returned mail has failed, whatever it was before:
 * the counters follow. A reader who complains does not want these mails: that is an unsubscription too.
 */
import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { Bounce } from '../../mail/mail-event.ts';
import type { LinkTarget } from '../../mail/personal-link.ts';
import type { MailFeedback } from '../faces.ts';
import { REACH_OUT } from './campaign-mail.ts';

export const feedback: MailFeedback = {
  kind: REACH_OUT,
  record: (db, target, event) =>
    event.kind === 'bounce' ? recordBounce(db, target, event) : recordComplaint(db, target),
};

/** While a copy is waiting or under way its row is left to the mailer, which asks whether it has bounced. */
async function recordBounce(db: Db, { orgId, id }: LinkTarget, { reason }: Bounce): Promise<string | undefined> {
  const { rows } = await sql<{ employee_id: number }>`
    with returned as (
      update reach_outs as r
      set bounced_at = now(), error = ${reason},
        status = case when r.status = 'sent' then 'failed' else r.status end,
        cause = case when r.status in ('sent', 'failed') then 'bounced' else r.cause end
      where r.org_id = ${orgId} and r.id = ${id} and r.bounced_at is null and r.status <> 'skipped'
        and (r.attempts > 0 or r.sent_at is not null)
      returning r.campaign_id, r.employee_id, old.status as was
    ), counted as (
      update campaign_progress set sent = sent - 1, failed = failed + 1
      where org_id = ${orgId} and campaign_id = (select campaign_id from returned where was = 'sent')
    )
    select employee_id from returned`.execute(db);
  const [row] = rows;
  return row && addressOf(db, orgId, row.employee_id);
}

async function recordComplaint(db: Db, { orgId, id }: LinkTarget): Promise<string | undefined> {
  const row = await db
    .updateTable('reach_outs')
    .set({ complained_at: sql`now()` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('complained_at', 'is', null)
    .returning(['campaign_id', 'employee_id'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await db
    .updateTable('employees')
    .set({ unsubscribed_at: sql`coalesce(unsubscribed_at, now())` })
    .where('org_id', '=', orgId)
    .where('id', '=', row.employee_id)
    .execute();
  // Last: all reports about a campaign wait for this row.
  await db
    .updateTable('campaign_progress')
    .set((q) => ({ complaints: q('complaints', '+', 1) }))
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', row.campaign_id)
    .execute();
  return addressOf(db, orgId, row.employee_id);
}

async function addressOf(db: Db, orgId: number, employeeId: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('id', '=', employeeId)
    .select('email')
    .executeTakeFirst();
  return row?.email;
}
