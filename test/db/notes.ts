/** A table of a tenant that no migration knows: what is tested on it holds for every module's. */
import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';

/** `db` is the owner's. What every migration does for a table of a tenant. */
export async function createNotes(db: Db): Promise<void> {
  await sql`create table notes (org_id bigint not null, id bigint generated always as identity, domain text not null,
    primary key (org_id, id))`.execute(db);
  await sql`grant select, insert, update on notes to tardigrade_tenant`.execute(db);
  await sql`select isolate_tenant('notes')`.execute(db);
}

/** An organisation with as many notes as it says. Returns its id. */
export async function addOrganisationWithNotes(db: Db, domain: string, notes: number): Promise<number> {
  const values = { name: domain };
  const { id } = await db.insertInto('organisations').values(values).returning('id').executeTakeFirstOrThrow();
  await sql`insert into notes (org_id, domain) select ${id}, ${domain} from generate_series(1, ${notes}::int)`.execute(
    db,
  );
  return id;
}
