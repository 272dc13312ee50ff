import { type Insertable, sql } from 'kysely';
import type { Db, Schema } from '../../db/schema.ts';
import type { AlertState } from '../../process/alert-before-full.ts';
import { ALERTS_MAX, OUTBOX_COUNTED_MAX } from './limits.ts';

/** The number of a lock that means the turn to judge: any that nothing else uses. */
const ALERTS_TURN = 2_107_518_822;

export interface DatabaseState {
  readonly connections: number;
  readonly connectionsMax: number;
  readonly sizeBytes: number;
  readonly outboxWaiting: number;
  /** Bytes that the slowest replica has yet to replay; null without a replica or without permission to see it. */
  readonly replicaLagBytes: number | null;
}

/** Counts at most OUTBOX_COUNTED_MAX waiting outbox rows. */
export async function databaseState(primary: Db): Promise<DatabaseState> {
  const { rows } = await sql<DatabaseState>`
    select
      (select sum(numbackends) from pg_stat_database)::int as connections,
      current_setting('max_connections')::int as "connectionsMax",
      pg_database_size(current_database()) as "sizeBytes",
      (select count(*) from (select 1 from outbox limit ${OUTBOX_COUNTED_MAX}) as waiting) as "outboxWaiting",
      (select max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint from pg_stat_replication) as "replicaLagBytes"`.execute(
    primary,
  );
  return rows[0] as DatabaseState;
}

export interface ServerState {
  readonly connections: number;
  readonly connectionsMax: number;
  /** Of this database, since its statistics began. */
  readonly deadlocks: number;
  /** Null: nothing waits. */
  readonly outboxSeconds: number | null;
  /** Of the slot that keeps most; one that is lost keeps all that it may. Null: there are none. */
  readonly slotBytes: number | null;
  /** Negative: there is no limit. */
  readonly slotBytesMax: number;
  /** Since the last backup, or since the first migration. */
  readonly backupSeconds: number;
}

/** What the alerts want to know of the primary, in one statement. */
export async function serverState(primary: Db): Promise<ServerState> {
  const { rows } = await sql<ServerState>`
    select
      (select sum(numbackends) from pg_stat_database)::int as connections,
      current_setting('max_connections')::int as "connectionsMax",
      (select deadlocks from pg_stat_database where datname = current_database()) as deadlocks,
      (select extract(epoch from now() - created_at)::float8 from outbox order by id limit 1) as "outboxSeconds",
      (select max(case when wal_status = 'lost' then pg_size_bytes(current_setting('max_slot_wal_keep_size'))
        else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end)::bigint from pg_replication_slots) as "slotBytes",
      pg_size_bytes(current_setting('max_slot_wal_keep_size')) as "slotBytesMax",
      extract(epoch from now() - coalesce(
        (select finished_at from backups order by finished_at desc limit 1),
        (select min("timestamp")::timestamptz from kysely_migration)))::float8 as "backupSeconds"`.execute(
    primary.withoutPlugins(),
  );
  return rows[0] as ServerState;
}

/** All alerts; until the transaction ends other mailers wait, also for those that do not exist yet. */
export async function lockAlerts(transaction: Db): Promise<AlertState[]> {
  await sql`select pg_advisory_xact_lock(${ALERTS_TURN})`.execute(transaction);
  const rows = await transaction
    .selectFrom('alerts')
    .selectAll()
    .orderBy('rule')
    .orderBy('process')
    .limit(ALERTS_MAX)
    .execute();
  return rows.map((row) => ({
    rule: row.rule,
    process: row.process,
    value: row.value,
    detail: row.detail,
    since: Date.parse(row.since),
    firedAt: msOf(row.fired_at),
    toldAt: msOf(row.told_at),
    clearSince: msOf(row.clear_since),
    overAt: msOf(row.over_at),
    tellingSince: msOf(row.telling_since),
  }));
}

export async function storeAlert(transaction: Db, state: AlertState): Promise<void> {
  const values: Insertable<Schema['alerts']> = {
    rule: state.rule,
    process: state.process,
    value: state.value,
    detail: state.detail,
    since: timeOf(state.since),
    fired_at: timeOf(state.firedAt),
    told_at: timeOf(state.toldAt),
    clear_since: timeOf(state.clearSince),
    over_at: timeOf(state.overAt),
    telling_since: timeOf(state.tellingSince),
  };
  const { rule, process, since, ...changing } = values;
  await transaction
    .insertInto('alerts')
    .values(values)
    .onConflict((conflict) => conflict.columns(['rule', 'process']).doUpdateSet(changing))
    .execute();
}

export async function deleteAlert(
  transaction: Db,
  { rule, process }: Pick<AlertState, 'rule' | 'process'>,
): Promise<void> {
  await transaction.deleteFrom('alerts').where('rule', '=', rule).where('process', '=', process).execute();
}

/** Those that have fired and are not over. */
export async function firingAlerts(db: Db) {
  return db
    .selectFrom('alerts')
    .where('fired_at', 'is not', null)
    .where('over_at', 'is', null)
    .select(['rule', 'process', 'detail', 'since'])
    .orderBy('rule')
    .orderBy('process')
    .limit(ALERTS_MAX)
    .execute();
}

function msOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}

function timeOf<T extends number | null>(ms: T): T extends null ? null : string {
  return (ms === null ? null : new Date(ms).toISOString()) as T extends null ? null : string;
}
