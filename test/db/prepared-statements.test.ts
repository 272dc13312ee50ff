import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStatementNames, prepareQuery } from '../../src/db/prepared-statements.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { PREPARED_STATEMENTS_MAX } from '../../src/limits.ts';
import { createTestDatabase, openPoolOfOne, type TestDatabase } from '../database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

test('the same text has the same name, on every connection', () => {
  const [one, another] = [createStatementNames(), createStatementNames()];
  expect(one('select 1')).toBe(another('select 1'));
  expect(one('select 1')).not.toBe(one('select 2'));
});

test('a statement is parsed once per connection, whatever its values', async () => {
  const db = openOne();
  for (let n = 0; n < 3; n++) await sql`select ${n}::int + 41 as parsed_once`.execute(db);
  const { rows } = await sql<{ name: string; used: number }>`
    select name, (generic_plans + custom_plans)::int as used from pg_prepared_statements
    where statement like '%parsed_once' and statement not like '%pg_prepared_statements%'`.execute(db);
  expect(rows).toEqual([{ name: expect.stringMatching(/^[\w-]{27}$/), used: 3 }]);
});

test('a program that makes endless new texts fills no memory: past the limit they go unnamed, and still work', async () => {
  const db = openOne();
  for (let n = 0; n < PREPARED_STATEMENTS_MAX + 50; n++) await sql.raw(`select ${n} as n`).execute(db);
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_prepared_statements`.execute(db);
  expect(rows[0]?.count).toBe(PREPARED_STATEMENTS_MAX + 1); // and the one that sets the scope
});

test('a statement that fails to parse is parsed again the next time, not taken for prepared', async () => {
  const db = openOne();
  const late = sql`select count(*)::int as count from made_later`;
  await expect(late.execute(db)).rejects.toMatchObject({ code: '42P01' });
  await sql`create table made_later (id integer)`.execute(database.db);
  await sql`grant select on made_later to tardigrade_system`.execute(database.db);
  expect((await late.execute(db)).rows).toEqual([{ count: 0 }]);
});

test('a statement whose table changes under it is planned anew', async () => {
  const db = openOne();
  await sql`create table changing (id integer)`.execute(database.db);
  await sql`grant select on changing to tardigrade_system`.execute(database.db);
  const all = sql`select id from changing`;
  expect((await all.execute(db)).rows).toEqual([]);
  await sql`alter table changing add column more integer`.execute(database.db);
  expect((await all.execute(db)).rows).toEqual([]);
});

test('a query that is prepared is built once, and gives what the same query gives that is built each time', async () => {
  const db = openOne();
  let built = 0;
  const outboxAfter = prepareQuery((blueprint, values: { after: number; topic: string }) => {
    built++;
    return blueprint
      .selectFrom('outbox')
      .where('id', '>', values.after)
      .where('topic', '=', values.topic)
      .where('org_id', '=', 7)
      .select(['id', 'topic'])
      .orderBy('id')
      .limit(2);
  });
  await sql`insert into outbox (org_id, topic, payload)
    select 7, case n % 2 when 0 then 'even' else 'odd' end, '{}' from generate_series(1, 9) n`.execute(database.db);
  const even = await outboxAfter(db, { after: 0, topic: 'even' });
  expect(even.map(({ topic }) => topic)).toEqual(['even', 'even']);
  const later = await outboxAfter(db, { after: even[1]?.id ?? 0, topic: 'even' });
  expect(later[0]?.id).toBeGreaterThan(even[1]?.id ?? 0);
  expect((await outboxAfter(db, { after: 0, topic: 'odd' })).map(({ topic }) => topic)).toEqual(['odd', 'odd']);
  expect(built).toBe(1);
});

test('one plan serves all values: it is kept, not made again for each', async () => {
  const db = openOne();
  for (let n = 0; n < 8; n++) await sql`select id from outbox where id > ${n} limit ${n + 1}`.execute(db);
  const { rows } = await sql<{ generic: number; custom: number }>`
    select generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements
    where statement like 'select id from outbox where id > $1 limit $2'`.execute(db);
  expect(rows).toEqual([{ generic: 8, custom: 0 }]);
});

function openOne(): Db {
  return openPoolOfOne(database.url).within({ scope: EVERY_ORGANISATION });
}
