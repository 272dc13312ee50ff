import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { RETENTION_DAYS } from '../../limits.ts';
import { forgetRows, type Retention } from '../../queue/retention.ts';
import { ALERT_DAYS, ASKED_STOP_DAYS } from './limits.ts';

export const retention = {
  alerts: {
    deleted: `when they are over and somebody was told; at the latest ${ALERT_DAYS} days after their end`,
    forget: (database, signal) => forgetRows(database, signal, deleteUntold),
  },
  backups: {
    deleted: `${RETENTION_DAYS} days after the backup`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldBackups),
  },
  asked_stops: {
    deleted: `${ASKED_STOP_DAYS} days after the stop`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldStops),
  },
} as const satisfies Retention;

async function deleteUntold(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from alerts where (rule, process) in (
      select rule, process from alerts where over_at < now() - make_interval(days => ${ALERT_DAYS}::int)
      order by rule, process limit ${rows})`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}

async function deleteOldBackups(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from backups where id = any(array(
      select id from backups where finished_at < now() - make_interval(days => ${RETENTION_DAYS}::int)
      order by finished_at limit ${rows}))`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}

async function deleteOldStops(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from asked_stops where life = any(array(
      select life from asked_stops where stopped_at < now() - make_interval(days => ${ASKED_STOP_DAYS}::int)
      order by stopped_at limit ${rows}))`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
