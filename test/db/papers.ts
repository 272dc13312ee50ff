/** A table of a tenant that no migration knows: what is tested on it holds for every module's. */
import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';

/** `db` is the owner's. What every migration does for a table of a tenant. */
export async function createPapers(db: Db): Promise<void> {
  await sql`create table papers (org_id bigint not null, id bigint generated always as identity, domain text not null,
    primary key (org_id, id))`.execute(db);
  await sql`grant select, insert, update on papers to tardigrade_tenant`.execute(db);
  await sql`select isolate_tenant('papers')`.execute(db);
}

/** An organisation with as many papers as it says. Returns its id. */
export async function addOrganisationWithPapers(db: Db, domain: string, papers: number): Promise<number> {
  const values = { name: domain };
  const { id } = await db.insertInto('organisations').values(values).returning('id').executeTakeFirstOrThrow();
  await sql`insert into papers (org_id, domain) select ${id}, ${domain} from generate_series(1, ${papers}::int)`.execute(
    db,
  );
  return id;
}
