import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { RETENTION_DAYS } from '../../limits.ts';
import { forgetRows, type Retention } from '../../queue/retention.ts';

export const retention = {
  teams: { kept: "the organisation's own structure" },
  employees: { kept: "the organisation's own list of people; who unsubscribed must stay known" },
  imports: {
    deleted: `${RETENTION_DAYS} days after they began; the people whom they added stay, and what they quote of files goes with anybody who is erased`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldImports),
  },
} as const satisfies Retention;

async function deleteOldImports(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from imports where (org_id, id) in (
      select org_id, id from imports where created_at < now() - make_interval(days => ${RETENTION_DAYS}::int)
      order by created_at limit ${rows} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
