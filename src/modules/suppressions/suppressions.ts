/**
 * Addresses that an organisation must not send mail to any more: the mailbox does not exist, its owner has complained,
 * or a person has said so. Mail providers count both, and stop accepting mail from a sender who goes on.
 *
 * A module that sends mail asks before each of it (`suppressedAmong` for many addresses, `isSuppressed` in a statement of
 * its own), and suppresses what a server has refused for good. Addresses are compared as src/mail-address.ts writes them.
 */
import { type RawBuilder, sql } from 'kysely';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import { parseAddress } from '../../mail-address.ts';
import { type Actor, writeAudit } from '../audit/audit.ts';
import type { Suppression } from './queries.ts';
import {
  insertSuppressions,
  markLifted,
  type NewSuppression,
  suppressedOf,
  suppressionById,
  suppressionOf,
  suppressionsOfAddress,
} from './queries.ts';

/** In the caller's transaction. An address that is suppressed already stays as it is. */
export async function suppressAddresses(db: Db, orgId: number, rows: readonly NewSuppression[]): Promise<void> {
  if (rows.length > 0) await insertSuppressions(db, orgId, rows);
}

/** From the primary: a suppression counts from the moment at which it is committed. */
export async function suppressedAmong(
  db: Db,
  orgId: number,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  return addresses.length === 0 ? new Set() : suppressedOf(db, orgId, addresses);
}

/** What is kept about somebody's address, for its owner to see. It outlives what else is held about them. */
export const suppressionsOf = suppressionsOfAddress;

/**
 * A condition for a statement: whether the address in this column is suppressed. Not EXISTS, for which PostgreSQL can read
 * all of an organisation's suppressions into a hash instead of looking up each address.
 */
export function isSuppressed(orgId: number, address: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`coalesce((
    select true from suppressions
    where suppressions.org_id = ${orgId} and suppressions.address = ${address} and suppressions.lifted_at is null limit 1
  ), false)`;
}

/** A subquery for a statement: up to `rows` of the suppressed addresses, as `address`. */
export function suppressedAddresses(orgId: number, rows: number): RawBuilder<unknown> {
  return sql`(select address from suppressions where org_id = ${orgId} and lifted_at is null limit ${rows})`;
}

/** Throws `invalid` for what is not an address. One that is suppressed already is returned as it is. */
export function suppressByHand(db: DatabaseSession, actor: Actor, text: string, by: string): Promise<Suppression> {
  const { orgId } = actor;
  const parsed = parseAddress(text);
  if ('fault' in parsed) throw new AppError('invalid', `This is not an email address: it ${parsed.fault}.`);
  return db.write(async (transaction) => {
    const [id] = await insertSuppressions(transaction, orgId, [
      { address: parsed.address, reason: 'person', detail: by },
    ]);
    if (id !== undefined) await writeAudit(transaction, actor, { action: 'suppression.added', subject: nameless(id) });
    return found(await suppressionOf(transaction, orgId, parsed.address));
  });
}

/** The address can be sent mail again. Throws `not_found`. Lifting it twice keeps who did it first. */
export function liftSuppression(db: DatabaseSession, actor: Actor, id: number, by: string): Promise<Suppression> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    if (await markLifted(transaction, orgId, id, by))
      await writeAudit(transaction, actor, { action: 'suppression.lifted', subject: nameless(id) });
    return found(await suppressionById(transaction, orgId, id));
  });
}

/** The log may not keep the address of somebody who is erased. */
const nameless = (id: number) => `suppression ${id}`;

function found(suppression: Suppression | undefined): Suppression {
  if (suppression === undefined) throw new AppError('not_found', 'This suppression does not exist.');
  return suppression;
}
