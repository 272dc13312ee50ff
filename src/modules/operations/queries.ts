import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';

export interface DatabaseState {
  readonly connections: number;
  readonly connectionsMax: number;
  readonly sizeBytes: number;
  readonly outboxWaiting: number;
  /** Bytes that the slowest replica has yet to replay; null without a replica or without permission to see it. */
  readonly replicaLagBytes: number | null;
}

/** Counts at most 10,000 waiting outbox rows: beyond that the exact number does not matter. */
export async function databaseState(primary: Db): Promise<DatabaseState> {
  const { rows } = await sql<DatabaseState>`
    select
      (select sum(numbackends) from pg_stat_database)::int as connections,
      current_setting('max_connections')::int as "connectionsMax",
      pg_database_size(current_database()) as "sizeBytes",
      (select count(*) from (select 1 from outbox limit 10000) as waiting) as "outboxWaiting",
      (select max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint from pg_stat_replication) as "replicaLagBytes"`.execute(
    primary,
  );
  return rows[0] as DatabaseState;
}
