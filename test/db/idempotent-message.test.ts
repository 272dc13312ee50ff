import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSeqs, selectStored } from '../../src/db/idempotent-message.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

const LETTERS = { table: 'letters', place: 'box_id' };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  await sql`create table letters (org_id bigint, box_id bigint, seq integer, nonce text)`.execute(database.db);
  await sql`create unique index on letters (org_id, box_id, nonce)`.execute(database.db);
});
beforeEach(async () => {
  await sql`truncate letters`.execute(database.db);
});
afterAll(() => database.close());

const store = (orgId: number, place: number, nonce: string, seq: number) =>
  sql`insert into letters values (${orgId}, ${place}, ${seq}, ${nonce})`.execute(database.db);
async function storedOf(orgId: number, ...messages: { place: number; nonce: string }[]) {
  const { rows } = await selectStored(LETTERS, orgId, messages).execute(database.db);
  return rows.toSorted((a, b) => a.seq - b.seq);
}

test('of all messages those that are stored are found with their numbers, in their own place and organisation only', async () => {
  await store(1, 7, 'a', 4);
  await store(1, 7, 'b', 6);
  await store(1, 8, 'a', 2);
  await store(2, 7, 'c', 9);
  const asked = [
    { place: 7, nonce: 'a' },
    { place: 7, nonce: 'b' },
    { place: 7, nonce: 'c' },
    { place: 8, nonce: 'b' },
  ];
  expect(await storedOf(1, ...asked)).toEqual([
    { place: 7, nonce: 'a', seq: 4 },
    { place: 7, nonce: 'b', seq: 6 },
  ]);
  expect(await storedOf(1)).toEqual([]);
});

test('what is stored meanwhile is known to the rest of the batch', () => {
  const seqs = createSeqs([{ place: 7, nonce: 'a', seq: 4 }]);
  expect(seqs.of({ place: 7, nonce: 'a' })).toBe(4);
  expect(seqs.of({ place: 7, nonce: 'b' })).toBeUndefined();
  seqs.add({ place: 7, nonce: 'b', seq: 6 });
  expect(seqs.of({ place: 7, nonce: 'b' })).toBe(6);
  expect(seqs.of({ place: 77, nonce: 'b' })).toBeUndefined();
});

test('two tries at the same time end in one message, whichever comes first', async () => {
  await sql`create table boxes (id bigint primary key, last_seq integer not null)`.execute(database.db);
  await sql`insert into boxes values (7, 0)`.execute(database.db);
  const name = { place: 7, nonce: 'a' };
  const send = () =>
    database.db.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ last: number }>`select last_seq as last from boxes where id = 7 for update`.execute(
        transaction,
      );
      const known = createSeqs((await selectStored(LETTERS, 1, [name]).execute(transaction)).rows).of(name);
      if (known !== undefined) return known;
      const seq = (rows[0]?.last ?? 0) + 1;
      await sql`update boxes set last_seq = ${seq} where id = 7`.execute(transaction);
      await sql`insert into letters values (1, 7, ${seq}, 'a')`.execute(transaction);
      return seq;
    });
  expect(await Promise.all([send(), send(), send()])).toEqual([1, 1, 1]);
});
