import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { RETENTION_DAYS } from '../../limits.ts';
import { forgetRows, type Retention } from '../../queue/retention.ts';

export const retention = {
  suppressions: {
    deleted: `${RETENTION_DAYS} days after they were lifted; one in force is kept, or its address would be sent mail again`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldLifted),
  },
} as const satisfies Retention;

async function deleteOldLifted(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from suppressions where (org_id, id) in (
      select org_id, id from suppressions
      where lifted_at is not null and lifted_at < now() - make_interval(days => ${RETENTION_DAYS}::int)
      order by lifted_at limit ${rows} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
