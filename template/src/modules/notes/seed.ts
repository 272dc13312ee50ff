import { sql } from 'kysely';
import type { SeedContext } from '../../../../src/modules/faces.ts';

const NOTES_PER_SIZE = 0.1; // times an organisation's size: the largest has 760 at scale 1
const DAYS = 90;

/** Ids are assigned in order of organisation, and everything that looks random is a hash of them. */
export async function seed({ db, organisations, now }: SeedContext): Promise<{ notes: number }> {
  let notes = 0;
  for (const { id: orgId, size } of organisations) {
    const count = Math.max(1, Math.round(size * NOTES_PER_SIZE));
    await sql`
      insert into notes (org_id, id, title, body, status, created_at, updated_at) overriding system value
      select ${orgId}, id, 'Note ' || id, 'What note ' || id || ' says.',
        case when pg_temp.chance(id, 'note done') < 0.3 then 'done' else 'open' end, at, at
      from (
        select id, ${now}::timestamptz - make_interval(secs => ${DAYS * 86_400}::int * (1 - nth::float8 / ${count}::int)) as at
        from (select nth, ${notes}::bigint + nth as id from generate_series(1, ${count}::int) as nth) as numbered
      ) as placed
      order by id`.execute(db);
    notes += count;
  }
  await sql`
    insert into note_days (org_id, day, written)
    select org_id, (created_at at time zone 'UTC')::date as day, count(*) from notes group by org_id, day order by org_id, day`.execute(
    db,
  );
  return { notes };
}
