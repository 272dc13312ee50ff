/**
 * The ledger of a campaign (table reach_outs): who should get a mail, who got one, and how it went. A job in the queue
 * only says "continue campaign 12"; nothing is lost if Redis loses the job.
 *
 * A row is waiting (due_at: the earliest time to send), being sent (due_at: the end of the lease, by which a mailer
 * that has not extended it is dead), or done (due_at null). Rows are claimed in one statement with SKIP LOCKED, so two
 * mailers never claim the same one. Each claim has a number, the fencing token: a mailer that was stopped for longer
 * than its lease, and whose row has been claimed by another one since, can no longer record what became of it.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import { isStillHeld, leased, leaseEnd } from '../../db/lease-and-fencing.ts';
import type { Db } from '../../db/schema.ts';
import { isSuppressed } from '../suppressions/suppressions.ts';
import { LAST_DUE_SHARE, MAIL_LEASE_MS, STOPPED_COUNTED_MAX, UNDER_WAY_POLL_MS } from './limits.ts';
import type { FailureCause, ReachOutStatus } from './recipient-queries.ts';
import { lockCampaign, NOT_PAUSED } from './state-queries.ts';

export interface SendingCampaign {
  readonly orgId: number;
  readonly id: number;
  readonly subject: string;
  readonly body: string;
  readonly organisation: string;
  /** The last employee written into the ledger; null when all are. */
  readonly expandedTo: number | null;
  /** A replica that has replayed it has everybody who is to be written to. */
  readonly expandPosition: string | null;
  /** The mail server takes no mail from us: for how long this has been so, and when it is to be asked again. */
  readonly held: { readonly forMs: number; readonly againInMs: number } | undefined;
}

/** How many no mail goes out for, although nobody has paused them; of all organisations, up to STOPPED_COUNTED_MAX. */
export async function countStopped(db: Db): Promise<number> {
  const { rows } = await sql<{ stopped: number }>`
    select count(*)::int as stopped from (
      select from campaigns where paused_about <> 'person' limit ${STOPPED_COUNTED_MAX}) as stopped`.execute(
    db.withoutPlugins(),
  );
  return rows[0]?.stopped ?? 0;
}

/** Undefined when there is nothing to send: the campaign is done, paused by a person, cancelled or deleted. */
export async function sendingCampaign(db: Db, orgId: number, id: number): Promise<SendingCampaign | undefined> {
  const row = await db
    .selectFrom('campaigns')
    .innerJoin('organisations', 'organisations.id', 'campaigns.org_id')
    .where('campaigns.org_id', '=', orgId)
    .where('campaigns.id', '=', id)
    .where('campaigns.status', '=', 'sending')
    .select([
      'campaigns.subject',
      'campaigns.body',
      'campaigns.expanded_to',
      'campaigns.expand_position',
      'organisations.name as organisation',
      sql<number | null>`extract(epoch from now() - paused_at)::float8 * 1000`.as('held_ms'),
      sql<number>`coalesce(extract(epoch from next_try_at - now())::float8 * 1000, 0)`.as('again_in_ms'),
    ])
    .executeTakeFirst();
  return (
    row && {
      orgId,
      id,
      subject: row.subject,
      body: row.body,
      organisation: row.organisation,
      expandedTo: row.expanded_to,
      expandPosition: row.expand_position,
      held: row.held_ms === null ? undefined : { forMs: row.held_ms, againInMs: Math.max(0, row.again_in_ms) },
    }
  );
}

/** Whether mails of it may go out at this moment. */
export async function isSending(db: Db, { orgId, id }: { orgId: number; id: number }): Promise<boolean> {
  const row = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select('status')
    .executeTakeFirst();
  return row?.status === 'sending';
}

export interface ClaimedReachOut {
  readonly id: number;
  readonly employeeId: number;
  /** The fencing token. */
  readonly claim: number;
  readonly attempts: number;
  readonly held: number;
  readonly unsubscribed: boolean;
  /** The address must not be sent mail. */
  readonly suppressed: boolean;
  /** The process that last claimed it died before recording the outcome: it may have been sent. */
  readonly interrupted: boolean;
  /** The server got it once and did not say whether it took it. */
  readonly unconfirmed: boolean;
}

/**
 * Claims up to `limit` due rows for MAIL_LEASE_MS; none once the campaign is paused or cancelled. Those that have waited
 * longest, and for a share of the places those that are due since last: mails that are tried again, for which everybody
 * who has not been written to yet would otherwise come first.
 */
export async function claimReachOuts(
  db: Db,
  campaign: { orgId: number; id: number },
  limit: number,
): Promise<ClaimedReachOut[]> {
  // An array instead of a join with `due`: for an organisation that its statistics do not cover yet, PostgreSQL
  // estimates one row, and would scan all of the organisation's rows once per joined row. (The same below.)
  const last = Math.floor(limit * LAST_DUE_SHARE);
  const isDue = sql`org_id = ${campaign.orgId} and campaign_id = ${campaign.id} and due_at <= now()
        and (select status from campaigns where org_id = ${campaign.orgId} and id = ${campaign.id}) = 'sending'`;
  const claimed = await sql<ClaimedReachOut>`
    with last_due as (
      select id from reach_outs where ${isDue} order by due_at desc, id desc limit ${last} for update skip locked
    ), due as (
      select id from reach_outs where ${isDue} and id <> all(array(select id from last_due))
      order by due_at, id limit ${limit - last} for update skip locked
    )
    update reach_outs as r
    set status = 'sending', attempts = r.attempts + 1, ${leased('r', MAIL_LEASE_MS)}
    from employees e
    where r.org_id = ${campaign.orgId} and r.id = any(array(select id from due union all select id from last_due)) and e.org_id = r.org_id and e.id = r.employee_id
    returning r.id, r.employee_id as "employeeId", r.claim, r.attempts, r.held, e.unsubscribed_at is not null as unsubscribed,
      ${isSuppressed(campaign.orgId, sql`e.email`)} as suppressed, old.status = 'sending' as interrupted, coalesce(r.cause = 'unconfirmed', false) as unconfirmed`.execute(
    db,
  );
  return claimed.rows.toSorted((a, b) => a.id - b.id);
}

/** Why somebody was skipped whose address must not be sent mail. */
export const SUPPRESSED = 'suppressed';

type Claim = Pick<ClaimedReachOut, 'id' | 'claim'>;

/** Extends the leases of mails that are under way. Those that another mailer has claimed since stay as they are. */
export async function extendLeases(db: Db, { orgId }: { orgId: number }, claims: readonly Claim[]): Promise<void> {
  const rows = claims.map(({ id, claim }) => ({ id, claim }));
  await sql`
    with given as materialized (select * from ${givenRows(rows, { id: 'bigint', claim: 'integer' })})
    update reach_outs as r set due_at = ${leaseEnd(MAIL_LEASE_MS)}
    from given
    where r.org_id = ${orgId} and r.id = any(array(select id from given)) and ${isStillHeld('r', 'given')}
      and r.status = 'sending'`.execute(db);
}

export interface ReachOutResult extends Claim {
  readonly status: ReachOutStatus;
  readonly error: string | null;
  readonly cause: FailureCause | null;
  /** When to try again; null when done. */
  readonly dueInMs: number | null;
  /** The recipient was not tried: the attempt does not count. */
  readonly untried: boolean;
  /** It was refused for a reason that is not about the recipient. */
  readonly heldBack: boolean;
  readonly possiblyTwice: boolean;
  /** The mailbox will never take mail. */
  readonly isHardBounce: boolean;
}

/**
 * Records the outcomes of claims and updates the campaign's counters, in one statement. Returns how many were recorded:
 * the others have been claimed by another mailer since. A mail that was returned before this is recorded has failed.
 */
export async function recordReachOuts(
  db: Db,
  campaign: { orgId: number; id: number },
  results: readonly ReachOutResult[],
): Promise<number> {
  const rows = results.map((result) => ({
    id: result.id,
    claim: result.claim,
    status: result.status,
    error: result.error,
    cause: result.cause,
    due_in_seconds: result.dueInMs === null ? null : result.dueInMs / 1_000,
    untried: result.untried,
    held: result.heldBack,
    twice: result.possiblyTwice,
    suppressed: result.status === 'skipped' && result.error === SUPPRESSED,
  }));
  const columns = {
    ...({ id: 'bigint', claim: 'integer', status: 'text', error: 'text', cause: 'text' } as const),
    ...({ due_in_seconds: 'double precision', untried: 'boolean', held: 'boolean', twice: 'boolean' } as const),
    ...({ suppressed: 'boolean' } as const),
  };
  const recorded = await sql<{ count: number }>`
    with given as materialized (
      select * from ${givenRows(rows, columns)}
    ), written as (
      update reach_outs as r
      set status = case when ${RETURNED} then 'failed' else given.status end,
        error = case when ${RETURNED} then r.error else given.error end,
        cause = case when ${RETURNED} then 'bounced' else given.cause end,
        due_at = now() + make_interval(secs => given.due_in_seconds),
        attempts = r.attempts - given.untried::int, held = least(r.held + given.held::int, 1000),
        sent_at = case when given.status = 'sent' then now() else r.sent_at end
      from given
      where r.org_id = ${campaign.orgId} and r.id = any(array(select id from given)) and ${isStillHeld('r', 'given')}
        and r.status = 'sending'
      returning r.status, given.twice, given.suppressed
    ), counted as (
      update campaign_progress set
        sent = sent + (select count(*) from written where status = 'sent'),
        failed = failed + (select count(*) from written where status = 'failed'),
        skipped = skipped + (select count(*) from written where status = 'skipped'),
        suppressed = suppressed + (select count(*) from written where suppressed),
        possibly_twice = possibly_twice + (select count(*) from written where twice)
      where org_id = ${campaign.orgId} and campaign_id = ${campaign.id}
    )
    select count(*) from written`.execute(db);
  return recorded.rows[0]?.count ?? 0;
}

/** The server took it, and it has come back since. */
const RETURNED = sql`given.status = 'sent' and r.bounced_at is not null`;

/** Milliseconds until the next row is due, or worth asking about because it is under way; null when there is none. */
export async function nextDueMs(db: Db, campaign: { orgId: number; id: number }): Promise<number | null> {
  const row = await db
    .selectFrom('reach_outs')
    .where('org_id', '=', campaign.orgId)
    .where('campaign_id', '=', campaign.id)
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .select(
      sql<number>`least(extract(epoch from due_at - now())::float8 * 1000,
        case when status = 'sending' then ${sql.lit(UNDER_WAY_POLL_MS)}::float8 end)`.as('ms'),
    )
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : Math.max(0, row.ms);
}

/**
 * False when it is not done after all: somebody was put back into the ledger meanwhile, or it is not being sent. The row is
 * locked first, by a statement of its own: one that has waited for who puts them back does not see them.
 */
export async function finishCampaign(transaction: Db, { orgId, id }: { orgId: number; id: number }): Promise<boolean> {
  await lockCampaign(transaction, orgId, id);
  const waiting = transaction
    .selectFrom('reach_outs')
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', id)
    .where('due_at', 'is not', null)
    .select('id')
    .limit(1);
  const { numUpdatedRows } = await transaction
    .updateTable('campaigns')
    .set({ status: 'done', finished_at: sql`now()`, ...NOT_PAUSED })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'sending')
    .where((q) => q.not(q.exists(waiting)))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** The mail server takes no mail from us: no recipient's fault, and shown to people. Until `againInMs` nothing is sent. */
export async function holdCampaign(
  db: Db,
  { orgId, id }: { orgId: number; id: number },
  { about, reason, againInMs }: { about: 'sender' | 'server' | 'rate'; reason: string; againInMs: number },
): Promise<void> {
  await db
    .updateTable('campaigns')
    .set({
      paused_about: about,
      paused_reason: reason,
      paused_at: sql`coalesce(paused_at, now())`,
      next_try_at: sql`now() + make_interval(secs => ${againInMs / 1_000}::float8)`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'sending')
    .execute();
}

/** The server takes mail again. */
export async function releaseCampaign(db: Db, { orgId, id }: { orgId: number; id: number }): Promise<void> {
  await db
    .updateTable('campaigns')
    .set(NOT_PAUSED)
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'sending')
    .execute();
}

/** It has been held for too long: from now on only a person resumes it. The reason stays. */
export async function stopHeldCampaign(db: Db, { orgId, id }: { orgId: number; id: number }): Promise<void> {
  await db
    .updateTable('campaigns')
    .set({ status: 'paused', next_try_at: null })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'sending')
    .where('paused_at', 'is not', null)
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
