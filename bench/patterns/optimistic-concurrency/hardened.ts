import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { etagOf, isVersionAccepted, versionsSeen } from '../../../src/http/optimistic-concurrency.ts';
import type { Document } from './case.ts';

/** Saved only if nobody has saved since it was read. The version travels as an ETag, as between browser and server. */
export async function save(db: Db, seen: Document, lines: number[]): Promise<boolean> {
  const versions = versionsSeen({ 'if-match': etagOf(seen.version) });
  const { numAffectedRows } = await sql`
    update documents set lines = ${lines}, version = version + 1 where id = 1 and ${isVersionAccepted(versions)}`.execute(
    db,
  );
  return numAffectedRows === 1n;
}
