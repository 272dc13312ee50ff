/**
 * What it is: a message that comes a second time is stored once, and acknowledged with the number that it has.
 * What fails without it: when a connection breaks before the acknowledgement, its client cannot know whether the message
 *   was stored. If it sends it again, it is there twice; if it does not, it may be lost.
 * How it works: the client gives a message a name for life, its nonce, and sends it under that name until it is
 *   acknowledged. Whoever stores it locks its place first (a room, a channel), and looks under that lock for the
 *   names that are stored: the first try may still be on its way when the second comes, on another connection or to
 *   another process. A name that is found gets its number again, whatever has happened since. What is stored meanwhile
 *   is remembered, because a batch can have both tries.
 * What it costs: one statement for a batch, which finds each name by an index.
 * Its bound: the caller's batch. A unique index on (org_id, place, nonce) is the net beneath; it is not the check, because
 *   a violation would end everybody's transaction, and does not tell the number.
 * Its proof: test/db/idempotent-message.test.ts, bench/patterns/idempotent-message.
 */
import { type RawBuilder, sql } from 'kysely';
import { givenRows } from './batch-write.ts';

/** Where messages of a kind are: a table with `org_id`, `nonce`, `seq` and the column of their place. */
export interface MessageTable {
  readonly table: string;
  readonly place: string;
}

export type NamedMessage = { readonly place: number; readonly nonce: string };

export type StoredMessage = NamedMessage & { readonly seq: number };

/** Selects those of the messages that are stored. To be run in the transaction that has locked their places. */
export function selectStored(
  { table, place }: MessageTable,
  orgId: number,
  messages: readonly NamedMessage[],
): RawBuilder<StoredMessage> {
  // A lateral join with a limit: each name finds its own row by the index (batch-write says why).
  return sql`
    select given.place, given.nonce, m.seq
    from ${givenRows(messages, { place: 'bigint', nonce: 'text' })}
    cross join lateral (
      select seq from ${sql.raw(table)}
      where org_id = ${orgId} and ${sql.raw(place)} = given.place and nonce = given.nonce limit 1
    ) as m`;
}

/** The numbers of messages by their names. */
export interface Seqs {
  of(message: NamedMessage): number | undefined;
  add(message: StoredMessage): void;
}

export function createSeqs(stored: readonly StoredMessage[]): Seqs {
  const nameOf = ({ place, nonce }: NamedMessage) => `${place}/${nonce}`;
  const seqs = new Map(stored.map((message) => [nameOf(message), message.seq]));
  return {
    of: (message) => seqs.get(nameOf(message)),
    add: (message) => void seqs.set(nameOf(message), message.seq),
  };
}
