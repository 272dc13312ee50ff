/**
 * What it is: a place in the primary's write-ahead log that is still right after a failover.
 * What fails without it: the log of a new primary goes on from an earlier place than the old one had come to. A replica
 *   that has not followed it is ahead of every position of the new primary and has none of its writes: of 200 writers
 *   who read back what they wrote, 200 do not see it (bench/results/patterns.json).
 * How it works: each promotion begins a new timeline, with a higher number. A position names its timeline first, and
 *   positions are compared by timeline, then by place. A replica on a later timeline has all that survived of an earlier
 *   one, whatever the numbers say; one on an earlier timeline has nothing of a later one.
 * What it costs: a few bytes in each position, and a function call on the replica.
 * Its bound: none is needed; a position that cannot be read is ahead of all others, so that the primary answers. A caller
 *   with a position to which the primary never came is given one that it has come to.
 * Its proof: test/db/failover-position.test.ts, bench/patterns/failover-position, and the scenario primary-lost.
 */
import { sql } from 'kysely';

/** The timeline, and the place as PostgreSQL writes it: `1:16/B374D848`. */
export type WalPosition = string;

/** Where the primary is now: what was committed before this statement is before this position. */
export const CURRENT_POSITION = sql<WalPosition>`(
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn from pg_current_wal_insert_lsn() as lsn)`;

/**
 * The timeline on which a replica replays. Its receiver asks for a new timeline only when everything before has been
 * replayed. Without a receiver, or a role that may look at it (pg_read_all_stats), the control file answers, which is
 * behind by up to a restartpoint: then reads go to the primary for that long, and none is stale.
 */
export const REPLAY_TIMELINE = `coalesce((pg_stat_get_wal_receiver()).received_tli::bigint,
      greatest((pg_control_recovery()).min_recovery_end_timeline, (pg_control_checkpoint()).timeline_id)::bigint)`;

/** No replica ever reaches it: a caller with this position is answered by the primary, and goes on from where that is. */
export const NEVER_REPLAYED: WalPosition = '4294967295:FFFFFFFF/FFFFFFFF';

/** Comparable as a number. Anything that is not a position counts as the far future, so the primary answers. */
export function parsePosition(position: WalPosition): bigint {
  const match = POSITION.exec(position);
  if (match === null) return 1n << 96n;
  const [timeline = '', high = '', low = ''] = match.slice(1);
  return (BigInt(timeline) << 64n) + (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Of what a client sends. */
export function isPosition(text: string): boolean {
  return POSITION.test(text);
}

const POSITION = /^(\d{1,10}):([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
