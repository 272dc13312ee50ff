import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../src/db/schema.ts';

const REPLICA_BEHIND_BYTES_MAX = 64 * 1024 * 1024; // well below what a primary keeps for a replica (max_slot_wal_keep_size)
const REPLICA_POLL_MS = 100;
const REPLICA_WAIT_MS = 60_000; // a replica that is stuck for so long must not hold up the seed; it can be rebuilt

/** Waits while a connected replica is far behind: past what the primary keeps for it, it would have to be rebuilt. */
export async function waitForReplicas(db: Db): Promise<void> {
  for (
    const deadline = performance.now() + REPLICA_WAIT_MS;
    performance.now() < deadline;
    await delay(REPLICA_POLL_MS)
  ) {
    // Null where there is no replica, and for a role that may not see them.
    const { rows } = await sql<{ behind: string | null }>`
      select max(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)) as behind from pg_stat_replication`.execute(db);
    if (Number(rows[0]?.behind ?? 0) <= REPLICA_BEHIND_BYTES_MAX) return;
  }
}
