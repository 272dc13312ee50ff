import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { AppError } from '../../../src/errors.ts';
import { etagOf, tagsIn, workOnSeen } from '../../../src/http/optimistic-concurrency.ts';
import type { Document } from './case.ts';

/** Saved only if nobody has saved since it was read. The version travels as an ETag, as between browser and server. */
export async function save(db: Db, seen: Document, lines: number[]): Promise<boolean> {
  const accepted = tagsIn('If-Match', etagOf(seen.version));
  try {
    await db.transaction().execute((transaction) =>
      workOnSeen(transaction, { accepted, currentTag }, async () => {
        await sql`update documents set lines = ${lines}, version = version + 1 where id = 1`.execute(transaction);
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'changed_meanwhile') return false;
    throw error;
  }
}

async function currentTag(transaction: Db): Promise<string | undefined> {
  const { rows } = await sql<{ version: number }>`
    select version from documents where id = 1 for no key update`.execute(transaction);
  return rows[0] && etagOf(rows[0].version);
}
