/**
 * The ledger of a campaign (table reach_outs): who should get a mail, who got one, and how it went. A job in the queue
 * only says "continue campaign 12"; nothing is lost if Redis loses the job.
 *
 * A row is waiting (due_at: the earliest time to send), being sent (due_at: the end of the lease, by which a mailer
 * that has not finished is dead), or done (due_at null). Rows are claimed in one statement with SKIP LOCKED, so two
 * mailers never claim the same one.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';
import { EXPAND_PAGE_ROWS, MAIL_LEASE_MS } from './limits.ts';
import type { ReachOutStatus } from './queries.ts';

export interface SendingCampaign {
  readonly orgId: number;
  readonly id: number;
  readonly subject: string;
  readonly body: string;
  readonly organisation: string;
  /** The last employee written into the ledger; null when all are. */
  readonly expandedTo: number | null;
}

/** Undefined when there is nothing left to send: the campaign is done, cancelled or deleted. */
export async function sendingCampaign(db: Db, orgId: number, id: number): Promise<SendingCampaign | undefined> {
  const row = await db
    .selectFrom('campaigns')
    .innerJoin('organisations', 'organisations.id', 'campaigns.org_id')
    .where('campaigns.org_id', '=', orgId)
    .where('campaigns.id', '=', id)
    .where('campaigns.status', '=', 'sending')
    .select(['campaigns.subject', 'campaigns.body', 'campaigns.expanded_to', 'organisations.name as organisation'])
    .executeTakeFirst();
  return (
    row && {
      orgId,
      id,
      subject: row.subject,
      body: row.body,
      organisation: row.organisation,
      expandedTo: row.expanded_to,
    }
  );
}

/** Writes the next page of employees into the ledger; returns how far it got, null at the end. */
export async function expandLedger(db: Db, campaign: SendingCampaign): Promise<number | null> {
  const { orgId, id, expandedTo } = campaign;
  // The row lock makes two mailers take turns here; the second sees how far the first got.
  const locked = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select('expanded_to')
    .forUpdate()
    .executeTakeFirst();
  if (locked === undefined || locked.expanded_to === null || locked.expanded_to !== expandedTo)
    return locked?.expanded_to ?? null;
  const page = await sql<{ added: number; read: number; last: number | null }>`
    with page as (
      select id, unsubscribed_at from employees where org_id = ${orgId} and id > ${expandedTo} order by id limit ${EXPAND_PAGE_ROWS}
    ), added as (
      insert into reach_outs (org_id, campaign_id, employee_id)
      select ${orgId}::bigint, ${id}::bigint, id from page where unsubscribed_at is null order by id
      on conflict (org_id, campaign_id, employee_id) do nothing returning 1
    )
    select (select count(*) from added) as added, (select count(*) from page) as read, (select max(id) from page) as last`.execute(
    db,
  );
  const { added, read, last } = page.rows[0] as { added: number; read: number; last: number | null };
  const reached = read < EXPAND_PAGE_ROWS ? null : last;
  await db
    .updateTable('campaigns')
    .set({ expanded_to: reached })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
  await db
    .updateTable('campaign_progress')
    .set((q) => ({ recipients: q('recipients', '+', added) }))
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', id)
    .execute();
  return reached;
}

export interface ClaimedReachOut {
  readonly id: number;
  readonly attempts: number;
  readonly email: string;
  readonly name: string;
  readonly unsubscribed: boolean;
  /** The process that last claimed it died before recording the outcome: it may have been sent. */
  readonly interrupted: boolean;
}

/** Claims up to `limit` due rows for MAIL_LEASE_MS; none once the campaign is cancelled. */
export async function claimReachOuts(
  db: Db,
  campaign: { orgId: number; id: number },
  limit: number,
): Promise<ClaimedReachOut[]> {
  // An array instead of a join with `due`: for an organisation that its statistics do not cover yet, PostgreSQL
  // estimates one row, and would scan all of the organisation's rows once per joined row. (The same below.)
  const claimed = await sql<ClaimedReachOut>`
    with due as (
      select id from reach_outs
      where org_id = ${campaign.orgId} and campaign_id = ${campaign.id} and due_at <= now()
        and (select status from campaigns where org_id = ${campaign.orgId} and id = ${campaign.id}) = 'sending'
      order by due_at, id limit ${limit} for update skip locked
    )
    update reach_outs as r
    set status = 'sending', attempts = r.attempts + 1, due_at = now() + make_interval(secs => ${MAIL_LEASE_MS / 1000})
    from employees e
    where r.org_id = ${campaign.orgId} and r.id = any(array(select id from due)) and e.org_id = r.org_id and e.id = r.employee_id
    returning r.id, r.attempts, e.email, e.name, e.unsubscribed_at is not null as unsubscribed, old.status = 'sending' as interrupted`.execute(
    db,
  );
  return claimed.rows.toSorted((a, b) => a.id - b.id);
}

export interface ReachOutResult {
  readonly id: number;
  readonly status: ReachOutStatus;
  readonly error: string | null;
  /** When to try again; null when done. */
  readonly dueAt: string | null;
  /** Nothing was tried: the attempt does not count. */
  readonly untried: boolean;
  readonly possiblyTwice: boolean;
}

/** Records the outcome of a claim and updates the campaign's counters, in one statement. */
export async function recordReachOuts(
  db: Db,
  campaign: { orgId: number; id: number },
  results: ReachOutResult[],
): Promise<void> {
  const rows = results.map((result) => ({
    id: result.id,
    status: result.status,
    error: result.error,
    due_at: result.dueAt,
    untried: result.untried,
    twice: result.possiblyTwice,
  }));
  await sql`
    with given as materialized (
      select * from ${givenRows(rows, { id: 'bigint', status: 'text', error: 'text', due_at: 'timestamptz', untried: 'boolean', twice: 'boolean' })}
    ), written as (
      update reach_outs as r
      set status = given.status, error = given.error, due_at = given.due_at,
        attempts = r.attempts - given.untried::int,
        sent_at = case when given.status = 'sent' then now() else r.sent_at end
      from given
      where r.org_id = ${campaign.orgId} and r.id = any(array(select id from given)) and r.id = given.id and r.status = 'sending'
      returning given.status, given.twice
    )
    update campaign_progress set
      sent = sent + (select count(*) from written where status = 'sent'),
      failed = failed + (select count(*) from written where status = 'failed'),
      skipped = skipped + (select count(*) from written where status = 'skipped'),
      possibly_twice = possibly_twice + (select count(*) from written where twice)
    where org_id = ${campaign.orgId} and campaign_id = ${campaign.id}`.execute(db);
}

/** Milliseconds until the next row is due; null when no row is waiting. */
export async function nextDueMs(db: Db, campaign: { orgId: number; id: number }): Promise<number | null> {
  const row = await db
    .selectFrom('reach_outs')
    .where('org_id', '=', campaign.orgId)
    .where('campaign_id', '=', campaign.id)
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .select(sql<number>`extract(epoch from due_at - now())::float8 * 1000`.as('ms'))
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : Math.max(0, row.ms);
}

export async function finishCampaign(db: Db, campaign: { orgId: number; id: number }): Promise<void> {
  await db
    .updateTable('campaigns')
    .set({ status: 'done', finished_at: sql`now()` })
    .where('org_id', '=', campaign.orgId)
    .where('id', '=', campaign.id)
    .where('status', '=', 'sending')
    .execute();
}

/** Campaigns that are being sent, in all organisations: the sweep enqueues them again if the queue lost them. */
export function sendingCampaigns(db: Db, limit: number): Promise<{ org_id: number; id: number }[]> {
  return db
    .selectFrom('campaigns')
    .where('status', '=', sql.lit('sending')) // a literal, because the index covers this status only
    .select(['org_id', 'id'])
    .orderBy('id')
    .limit(limit)
    .execute();
}
