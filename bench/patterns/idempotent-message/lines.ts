import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';

export const ORG_ID = 1;

export interface Line {
  readonly channel: number;
  /** The sender's own name for it, the same in each try. */
  readonly nonce: string;
  readonly text: string;
}

/** Others that write to it wait until the transaction has ended. */
export async function lockChannel(transaction: Db, { channel }: Line): Promise<void> {
  await sql`select from channels where id = ${channel} for update`.execute(transaction);
}

/** As the channel's next line; returns its number. */
export async function appendLine(transaction: Db, { channel, nonce, text }: Line): Promise<number> {
  const { rows } = await sql<{ seq: number }>`
    with moved as (update channels set last_seq = last_seq + 1 where id = ${channel} returning last_seq)
    insert into lines (org_id, channel_id, seq, nonce, text)
    select ${ORG_ID}::bigint, ${channel}::bigint, last_seq, ${nonce}::text, ${text}::text from moved
    returning seq`.execute(transaction);
  return (rows[0] as { seq: number }).seq;
}
