import { sql } from 'kysely';
import type { Db } from '../src/db/schema.ts';

/** The tables of organisations with a row that has this text in any column. */
export async function tablesWith(db: Db, text: string): Promise<string[]> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'org_id' order by table_name`.execute(db);
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ has: boolean }>`
      select exists (select from ${sql.table(name)} t where to_jsonb(t)::text like ${`%${text}%`}) as has`.execute(db);
    if (rows[0]?.has === true) found.push(name);
  }
  return found;
}
