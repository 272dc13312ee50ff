/** A slot keeps WAL for its reader. If the reader is gone, it keeps WAL until the disk is full. */
import type { Finding } from './finding.ts';
import { LIST_ROWS, SLOT_BYTES_MIN } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showBytes } from './show.ts';

const check = 'replication-slots';

type Slot = { name: string; active: boolean; status: string | null; bytes: number; keepBytes: number };

export async function replicationSlots(servers: Servers): Promise<Finding[]> {
  return (await Promise.all(databases(servers).map(slotsOf))).flat();
}

async function slotsOf({ name, rows }: Server): Promise<Finding[]> {
  const slots = await rows<Slot>(
    `select slot_name as name, active, wal_status as status,
      coalesce(pg_wal_lsn_diff(
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn), 0) as bytes,
      pg_size_bytes(current_setting('max_slot_wal_keep_size')) as "keepBytes"
    from pg_replication_slots order by active, bytes desc limit $1`,
    [LIST_ROWS],
  );
  if (slots.length === 0) return [{ check, level: 'ok', says: `${name}: no replication slots` }];
  return slots.map((slot) => judge(name, slot));
}

function judge(server: string, { name, active, status, bytes, keepBytes }: Slot): Finding {
  const bounded = keepBytes >= 0;
  const bound = bounded ? `max_slot_wal_keep_size ${showBytes(keepBytes)}` : 'max_slot_wal_keep_size is not set';
  const says = `${server}: slot ${name} is ${active ? 'in use' : 'not in use'} and keeps ${showBytes(bytes)} of WAL (${bound})`;
  const drop = `select pg_drop_replication_slot('${name}') if its reader will not come back`;
  if (status === 'lost') {
    return {
      check,
      level: 'advice',
      says: `${says}; WAL that it needs has been removed`,
      advice: `${drop}; otherwise rebuild the reader`,
    };
  }
  if (!active && !bounded && bytes >= SLOT_BYTES_MIN) {
    return {
      check,
      level: 'danger',
      says,
      advice: `${drop}, and set max_slot_wal_keep_size: otherwise it fills the disk`,
    };
  }
  if (!active && bytes >= SLOT_BYTES_MIN) return { check, level: 'advice', says, advice: drop };
  if (!bounded) {
    const advice = 'set max_slot_wal_keep_size: otherwise a reader that stays away fills the disk';
    return { check, level: 'advice', says, advice };
  }
  return { check, level: 'ok', says };
}
