import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';

/** One is enough: keeping several of them separate is another lesson. */
export const ORGANISATION = 1;

export const SCHEMA = `
  create table documents (id integer primary key, title text not null);
  grant select, update on documents to tardigrade_tenant`;

export async function writeTitle(db: Db, id: number, title: string): Promise<void> {
  await sql`update documents set title = ${title} where id = ${id}`.execute(db);
}

export async function readTitle(db: Db, id: number): Promise<string> {
  const { rows } = await sql<{ title: string }>`select title from documents where id = ${id}`.execute(db);
  return rows[0]?.title ?? '';
}
