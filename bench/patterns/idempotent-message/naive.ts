import { randomUUID } from 'node:crypto';
import type { Db } from '../../../src/db/schema.ts';
import { appendLine, type Line, lockChannel } from './lines.ts';

/** Each line that comes is a new one. */
export function storeLine(db: Db, line: Line): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await lockChannel(transaction, line);
    return appendLine(transaction, { ...line, nonce: randomUUID() });
  });
}
