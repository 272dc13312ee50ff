/**
 * Writes a campaign's recipients into the ledger, page by page. The pages come from the replica, which has replayed the
 * launch (`expand_position`); the ledger is on the primary.
 *
 * Ids do not commit in the order in which they are given: an import that was running at the launch can commit people
 * with ids that the pages have already passed. So the launch notes which transactions were open (`expand_awaits`). If
 * one of them is still open at the first page, the pages are read a second time once all have ended.
 *
 * People whose address is suppressed are in the ledger too, as skipped: the campaign's page counts them.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import { CURRENT_POSITION } from '../../db/failover-position.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { suppressedAmong } from '../suppressions/suppressions.ts';
import { type SendingCampaign, SUPPRESSED } from './ledger.ts';
import { EXPAND_AWAIT_MAX_MS, EXPAND_PAGE_ROWS } from './limits.ts';

/** Writes the next page of employees into the ledger; returns how far it got, null at the end. */
export async function expandLedger(database: Database, campaign: SendingCampaign): Promise<number | null> {
  const { orgId, expandedTo } = campaign;
  if (expandedTo === null) return null;
  const place = expandedTo === 0 ? await database.transact(orgId, (db) => startPlace(db, campaign)) : campaign;
  const position = place?.expandPosition ?? undefined;
  const page = await database.read(orgId, position, (db) => employeesPage(db, orgId, expandedTo));
  return database.transact(orgId, (db) => writePage(db, campaign, page));
}

interface Page {
  /** Those who have not unsubscribed. */
  readonly people: readonly { readonly id: number; readonly email: string }[];
  readonly lastId: number;
  readonly isLast: boolean;
}

async function employeesPage(db: Db, orgId: number, afterId: number): Promise<Page> {
  const rows = await db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('id', '>', afterId)
    .select(['id', 'email', sql<boolean>`unsubscribed_at is null`.as('reachable')])
    .orderBy('id')
    .limit(EXPAND_PAGE_ROWS)
    .execute();
  return {
    people: rows.filter(({ reachable }) => reachable),
    lastId: rows.at(-1)?.id ?? afterId,
    isLast: rows.length < EXPAND_PAGE_ROWS,
  };
}

/** If no transaction from before the launch is open any more, the pages are read once, from here on. */
async function startPlace(
  db: Db,
  { orgId, id }: SendingCampaign,
): Promise<{ expandPosition: string | null } | undefined> {
  await db
    .updateTable('campaigns')
    .set({ expand_awaits: null, expand_position: CURRENT_POSITION })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('expanded_to', '=', 0)
    .where(ALL_ENDED, 'is', true)
    .execute();
  return db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select('expand_position as expandPosition')
    .executeTakeFirst();
}

async function writePage(db: Db, { orgId, id, expandedTo }: SendingCampaign, page: Page): Promise<number | null> {
  // The row lock makes two mailers take turns here; the second sees how far the first got.
  const locked = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select(['expanded_to', 'expand_awaits', ALL_ENDED.as('all_ended')])
    .forUpdate()
    .executeTakeFirst();
  if (locked === undefined || locked.expanded_to === null || locked.expanded_to !== expandedTo)
    return locked?.expanded_to ?? null;
  // On the primary, and after the lock: what was suppressed a moment ago counts.
  const suppressed = await suppressedAmong(
    db,
    orgId,
    page.people.map(({ email }) => email),
  );
  const given = page.people.map((one) => ({ employee_id: one.id, suppressed: suppressed.has(one.email) }));
  const { rows } = await sql<{ added: number; suppressed: number }>`
    with added as (
      insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, error)
      select ${orgId}::bigint, ${id}::bigint, employee_id,
        case when suppressed then 'skipped' else 'waiting' end,
        case when suppressed then null else now() end,
        case when suppressed then ${SUPPRESSED}::text end
      from ${givenRows(given, { employee_id: 'bigint', suppressed: 'boolean' })}
      on conflict (org_id, campaign_id, employee_id) do nothing returning status
    )
    select count(*) as added, count(*) filter (where status = 'skipped') as suppressed from added`.execute(db);
  const [{ added, suppressed: skipped } = { added: 0, suppressed: 0 }] = rows;
  const isAgain = page.isLast && locked.expand_awaits !== null && locked.all_ended;
  const isOver = page.isLast && locked.expand_awaits === null;
  const reached = isOver ? null : isAgain ? 0 : page.lastId;
  await db
    .updateTable('campaigns')
    .set({ expanded_to: reached, ...(isAgain ? { expand_awaits: null, expand_position: CURRENT_POSITION } : {}) })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
  await db
    .updateTable('campaign_progress')
    .set((q) => ({
      recipients: q('recipients', '+', added),
      skipped: q('skipped', '+', skipped),
      suppressed: q('suppressed', '+', skipped),
    }))
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', id)
    .execute();
  return reached;
}

/**
 * Whether all transactions that were adding employees at the launch have ended: nobody writes to that table at this
 * moment, or every transaction of the server from that time is over. One that stays open for long must not keep the
 * campaign from its end.
 */
const ALL_ENDED = sql<boolean>`(
  not exists (
    select from pg_locks where locktype = 'relation' and relation = 'employees'::regclass and mode = 'RowExclusiveLock'
      and database = (select oid from pg_database where datname = current_database())
  )
  or pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= expand_awaits
  or launched_at < now() - make_interval(secs => ${sql.lit(EXPAND_AWAIT_MAX_MS / 1000)})
)`;
