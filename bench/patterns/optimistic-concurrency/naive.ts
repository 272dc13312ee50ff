import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import type { Document } from './case.ts';

/** What the editor has on the screen is what is saved. */
export async function save(db: Db, _seen: Document, lines: number[]): Promise<boolean> {
  await sql`update documents set lines = ${lines}, version = version + 1 where id = 1`.execute(db);
  return true;
}
