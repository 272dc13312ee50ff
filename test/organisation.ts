import type { Db } from '../src/db/database.ts';

export async function addOrganisation(db: Db, name = 'Acme'): Promise<number> {
  return (await db.insertInto('organisations').values({ name }).returning('id').executeTakeFirstOrThrow()).id;
}
