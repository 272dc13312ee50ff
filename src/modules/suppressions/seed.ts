import { sql } from 'kysely';
import type { SeedContext } from '../faces.ts';

/** One of each kind. None is the address of a sample person: all of them can be sent mail. */
const SUPPRESSIONS = [
  { local: 'reception', reason: 'bounce', detail: '550 5.1.1 No such user', daysAgo: 41, isLifted: false },
  { local: 'warehouse', reason: 'bounce', detail: '550 5.2.1 Mailbox disabled', daysAgo: 27, isLifted: true },
  { local: 'press', reason: 'complaint', detail: 'abuse', daysAgo: 12, isLifted: false },
  { local: 'former.colleague', reason: 'person', detail: null, daysAgo: 3, isLifted: false },
];

/** Writes a few suppressed addresses to each organisation. What a person does here, its admin did. */
export async function seed({ db, organisations, now }: SeedContext): Promise<Record<string, number>> {
  const rows = SUPPRESSIONS.flatMap((one) =>
    organisations.map(({ id, domain }) => ({ ...one, org_id: id, address: `${one.local}@${domain}` })),
  );
  await sql`
    insert into suppressions (org_id, id, address, reason, detail, created_at, lifted_at, lifted_by) overriding system value
    select given.org_id, nth, address, reason, coalesce(detail, admin.name), ${now}::timestamptz - make_interval(days => "daysAgo"),
      case when "isLifted" then ${now}::timestamptz - make_interval(days => "daysAgo" - 1) end,
      case when "isLifted" then admin.name end
    from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as (org_id bigint, address text, reason text, detail text, "daysAgo" int, "isLifted" boolean)) with ordinality
      as given (org_id, address, reason, detail, "daysAgo", "isLifted", nth)
    join users as admin on admin.org_id = given.org_id and admin.role = 'admin'`.execute(db);
  return { suppressions: rows.length };
}
