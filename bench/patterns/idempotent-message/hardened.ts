import { createSeqs, selectStored } from '../../../src/db/idempotent-message.ts';
import type { Db } from '../../../src/db/schema.ts';
import { appendLine, type Line, lockChannel, ORG_ID } from './lines.ts';

const LINES = { table: 'lines', place: 'channel_id' };

/** A line that is stored already gets the number that it has. */
export function storeLine(db: Db, line: Line): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await lockChannel(transaction, line);
    const name = { place: line.channel, nonce: line.nonce };
    const { rows } = await selectStored(LINES, ORG_ID, [name]).execute(transaction);
    return createSeqs(rows).of(name) ?? appendLine(transaction, line);
  });
}
