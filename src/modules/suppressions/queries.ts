import { type Selectable, sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Schema } from '../../db/schema.ts';

export type SuppressionReason = Selectable<Schema['suppressions']>['reason'];

export interface NewSuppression {
  readonly address: string;
  readonly reason: SuppressionReason;
  readonly detail: string;
}

const columns = ['id', 'address', 'reason', 'detail', 'created_at', 'lifted_at', 'lifted_by'] as const;

/** An address that is suppressed already keeps its first reason. Returns the ids of the new rows. */
export async function insertSuppressions(db: Db, orgId: number, rows: readonly NewSuppression[]): Promise<number[]> {
  const given = rows.map(({ address, reason, detail }) => ({ address, reason, detail }));
  const { rows: added } = await sql<{ id: number }>`
    insert into suppressions (org_id, address, reason, detail)
    select distinct on (address collate "C") ${orgId}::bigint, address, reason, detail
    from ${givenRows(given, { address: 'text', reason: 'text', detail: 'text' })}
    order by address collate "C"
    on conflict (org_id, address) where lifted_at is null do nothing
    returning id`.execute(db);
  return added.map(({ id }) => id);
}

export async function suppressionById(db: Db, orgId: number, id: number): Promise<Suppression | undefined> {
  const row = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select([...columns])
    .executeTakeFirst();
  return row && toSuppression(row);
}

/** The one in force. */
export async function suppressionOf(db: Db, orgId: number, address: string): Promise<Suppression | undefined> {
  const row = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .where('address', '=', address)
    .where('lifted_at', 'is', null)
    .select([...columns])
    .executeTakeFirst();
  return row && toSuppression(row);
}

/** All of one address, lifted ones among them. */
export async function suppressionsOfAddress(
  db: Db,
  orgId: number,
  address: string,
  rows: number,
): Promise<Suppression[]> {
  const found = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .where('address', '=', address)
    .select([...columns])
    .orderBy('id')
    .limit(rows)
    .execute();
  return found.map(toSuppression);
}

/** Newest first, lifted ones among them. */
export async function suppressionsPage(
  db: Db,
  orgId: number,
  [beforeId]: IdPlace = [Number.MAX_SAFE_INTEGER],
  rows: number,
): Promise<Suppression[]> {
  const found = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .where('id', '<', beforeId)
    .select([...columns])
    .orderBy('id', 'desc')
    .limit(rows)
    .execute();
  return found.map(toSuppression);
}

export type AddressPlace = readonly [address: string, id: number];

/** Those whose address begins with `search`, in order of address. */
export async function suppressionsFound(
  db: Db,
  orgId: number,
  search: string,
  [afterAddress, afterId]: AddressPlace = ['', 0],
  rows: number,
): Promise<Suppression[]> {
  const found = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    // The beginning as a range, up to it plus the last code point: an index can serve it for any search.
    .where('address', '>=', sql<string>`greatest(${afterAddress}::text collate "C", ${search}::text)`)
    .where('address', '<', sql<string>`${search}::text || chr(1114111)`)
    .where(sql<boolean>`(address, id) > (${afterAddress}::text, ${afterId}::bigint)`)
    .select([...columns])
    .orderBy('address')
    .orderBy('id')
    .limit(rows)
    .execute();
  return found.map(toSuppression);
}

/** False for one that has been lifted already, which stays as it is, and for one that does not exist. */
export async function markLifted(db: Db, orgId: number, id: number, by: string): Promise<boolean> {
  const lifted = await db
    .updateTable('suppressions')
    .set({ lifted_at: sql`coalesce(lifted_at, now())`, lifted_by: sql`coalesce(lifted_by, ${by})` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning(sql<boolean>`lifted_at = now()`.as('isNew'))
    .executeTakeFirst();
  return lifted?.isNew === true;
}

/** Those of the addresses that are suppressed; as many rows as addresses at most. */
export async function suppressedOf(db: Db, orgId: number, addresses: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .where('address', '=', sql<string>`any(${addresses}::text[])`)
    .where('lifted_at', 'is', null)
    .select('address')
    .limit(addresses.length)
    .execute();
  return new Set(rows.map(({ address }) => address));
}

export type Suppression = ReturnType<typeof toSuppression>;

function toSuppression(row: Pick<Selectable<Schema['suppressions']>, (typeof columns)[number]>) {
  return {
    id: row.id,
    address: row.address,
    reason: row.reason,
    detail: row.detail,
    createdAt: row.created_at,
    liftedAt: row.lifted_at,
    liftedBy: row.lifted_by,
  };
}
