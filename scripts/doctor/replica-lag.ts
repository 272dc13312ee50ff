/** Is the replica streaming, how far does it lag, and does recovery cancel queries on it? */
import { REPLICA_LAG_MAX_MS } from '../../src/limits.ts';
import type { Finding } from './finding.ts';
import { LAG_BYTES_MAX } from './limits.ts';
import type { Server, Servers } from './servers.ts';
import { showBytes, showCount, showMs } from './show.ts';

const check = 'replica-lag';

export async function replicaLag({ primary, replica, unreachable }: Servers): Promise<Finding[]> {
  if (await isInRecovery(primary)) {
    const says = `the server at ${primary.address} is a replica: it refuses every write`;
    return [{ check, level: 'danger', says, advice: 'point DATABASE_URL at the primary, or promote this one' }];
  }
  if (unreachable.replica !== undefined) {
    const advice =
      'the product continues with the primary alone; make sure that it can handle all reads, and bring the replica back';
    return [{ check, level: 'advice', says: unreachable.replica, advice }];
  }
  if (replica === undefined)
    return [{ check, level: 'ok', says: 'no replica is configured: all reads go to the primary' }];
  if (!(await isInRecovery(replica))) {
    const says = `the server at ${replica.address} is not in recovery: it was promoted, or never was a replica`;
    const advice = 'the product does not use it, and every read goes to the primary: rebuild it as a replica';
    return [{ check, level: 'advice', says, advice }];
  }
  return [await lag(primary, replica), ...(await held(replica)), await conflicts(replica)];
}

async function isInRecovery({ rows }: Server): Promise<boolean> {
  const [row] = await rows<{ recovering: boolean }>('select pg_is_in_recovery() as recovering');
  return row?.recovering ?? false;
}

async function lag(primary: Server, replica: Server): Promise<Finding> {
  // The primary first: anything replayed in between makes the lag look smaller than it is, never larger.
  const [head] = await primary.rows<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  const [behind] = await replica.rows<{ bytes: number; ms: number | null; streams: boolean }>(
    `select greatest(pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn()), 0) as bytes,
      extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000 as ms,
      exists (select from pg_stat_wal_receiver) as streams`,
    [head?.lsn],
  );
  const { bytes, streams } = behind ?? { bytes: 0, streams: false };
  // On a replica that has caught up, the age of the last transaction is the primary's idle time, not lag.
  const ms = bytes === 0 ? 0 : (behind?.ms ?? 0);
  const says = `${showBytes(bytes)} behind the primary, ${showMs(ms)}; ${streams ? 'it streams' : 'it does not stream'}`;
  if (streams && (bytes <= LAG_BYTES_MAX || ms <= REPLICA_LAG_MAX_MS)) return { check, level: 'ok', says };
  const advice = `beyond ${showMs(REPLICA_LAG_MAX_MS)} the product does not use it: check its disk, its CPU and its log`;
  return { check, level: 'advice', says, advice };
}

/** Replay that was paused or delayed on purpose, and perhaps forgotten. */
async function held({ rows }: Server): Promise<Finding[]> {
  const [row] = await rows<{ paused: boolean; delay: string }>(
    "select pg_is_wal_replay_paused() as paused, current_setting('recovery_min_apply_delay') as delay",
  );
  const findings: Finding[] = [];
  if (row?.paused) {
    findings.push({ check, level: 'advice', says: 'replay is paused', advice: 'select pg_wal_replay_resume()' });
  }
  if (row?.delay !== '0') {
    const says = `recovery_min_apply_delay is ${row?.delay}`;
    findings.push({ check, level: 'advice', says, advice: 'set it to 0, or read from another replica' });
  }
  return findings;
}

async function conflicts({ rows }: Server): Promise<Finding> {
  const [row] = await rows<{ cancelled: number; feedback: string; delay: string }>(`
    select confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock as cancelled,
      current_setting('hot_standby_feedback') as feedback, current_setting('max_standby_streaming_delay') as delay
    from pg_stat_database_conflicts where datname = current_database()`);
  const { cancelled, feedback, delay } = row ?? { cancelled: 0, feedback: 'off', delay: '' };
  const says =
    `reads cancelled by conflicts with recovery: ${showCount(cancelled)} ` +
    `(hot_standby_feedback ${feedback}, max_standby_streaming_delay ${delay})`;
  if (cancelled === 0) return { check, level: 'ok', says };
  const advice =
    'shorten the reads; the product retries them on the primary. hot_standby_feedback = on avoids most of them, but lets slow reads on the replica hold back vacuum on the primary';
  return { check, level: 'advice', says, advice };
}
