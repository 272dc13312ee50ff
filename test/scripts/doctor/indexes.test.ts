import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foreignKeys } from '../../../scripts/doctor/foreign-keys.ts';
import { invalidIndexes } from '../../../scripts/doctor/invalid-indexes.ts';
import { SCANS_MIN } from '../../../scripts/doctor/limits.ts';
import { scannedTables } from '../../../scripts/doctor/scanned-tables.ts';
import { unusedIndexes } from '../../../scripts/doctor/unused-indexes.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { look } from './servers.ts';

let own: TestDatabase;
let client: Client;

beforeAll(async () => {
  own = await createTestDatabase();
  client = new Client({ connectionString: own.ownerUrl });
  await client.connect();
  await client.query(`
    create table parents (a int, b int, primary key (a, b));
    create table children (id int primary key, a int, b int, word text, foreign key (a, b) references parents (a, b));
    insert into parents select n, n from generate_series(1, 100) as n;
    insert into children select n, n % 100 + 1, n % 100 + 1, 'same' from generate_series(1, 40000) as n`);
});
afterAll(async () => {
  await client.end();
  await own.close();
});

test('a foreign key without an index is reported with the statement that creates one', async () => {
  const [finding, ...others] = await look(foreignKeys, { databaseUrl: own.ownerUrl });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    level: 'advice',
    says: expect.stringMatching(/^public\.children \(\d\.\d MB\) has no/),
  });
  expect(finding?.advice).toContain('create index concurrently on public.children (a, b)');
});

test.each([
  ['whose columns come first, in any order', '(b, a, word)', 'ok'],
  ['whose columns come later', '(word, a, b)', 'advice'],
  ['of some of the rows only', '(a, b) where id > 5', 'advice'],
])('an index %s', async (_, definition, level) => {
  await client.query(`create index candidate on children ${definition}`);
  const [finding] = await look(foreignKeys, { databaseUrl: own.ownerUrl });
  await client.query('drop index candidate');
  expect(finding?.level).toBe(level);
});

test('a partitioned table is as large as its partitions, and its index is created partition by partition', async () => {
  await client.query(`
    create table parted (id int, a int, b int, foreign key (a, b) references parents (a, b)) partition by range (id);
    create table parted_low partition of parted for values from (0) to (20001);
    create table parted_high partition of parted for values from (20001) to (50000);
    insert into parted select id, a, b from children`);
  const findings = await look(foreignKeys, { databaseUrl: own.ownerUrl });
  await client.query('drop table parted');
  const [finding, ...others] = findings.filter(({ says }) => says.startsWith('public.parted'));
  expect(others).toEqual([]);
  expect(finding?.says).toMatch(/^public\.parted \(\d\.\d MB\) has no index/);
  expect(finding?.advice).toMatch(/^create index on only public\.parted \(a, b\), the same concurrently on each/);
});

test('an index left over by a failed CREATE INDEX CONCURRENTLY is reported', async () => {
  expect(await look(invalidIndexes, { databaseUrl: own.ownerUrl })).toMatchObject([{ level: 'ok' }]);
  const failed = client.query('create unique index concurrently half_made on children (word)');
  await expect(failed).rejects.toMatchObject({ code: '23505' });
  const [finding] = await look(invalidIndexes, { databaseUrl: own.ownerUrl });
  await client.query('drop index half_made');
  expect(finding).toMatchObject({
    level: 'advice',
    says: expect.stringContaining('public.half_made on public.children'),
  });
});

test('an unused index is reported, but not one that a replica reads or that a constraint or foreign key needs', async () => {
  await client.query(`
    create index idle_one on children (word, id);
    create index read_by_replica on children (b, id, word);
    create unique index rule on children (id, word);
    create index for_the_key on children (a, b, word)`);
  const replica = replicaAsOwner();
  await until('the replica has the index', () =>
    asAdmin(async (reader) => (await reader.query("select to_regclass('rule') as there")).rows[0].there, replica),
  );
  const alone = await look(unusedIndexes, { databaseUrl: own.ownerUrl });
  expect(alone.map(({ says }) => says.split(' ')[0]).sort()).toEqual(['public.idle_one', 'public.read_by_replica']);
  expect(alone[0]?.advice).toMatch(/^wait until they cover 7 d; ask with --replica-url/);

  await asAdmin(async (reader) => {
    await reader.query('set enable_seqscan = off; select count(*) from children where b = 7 and id > 0');
    await reader.query('select pg_stat_force_next_flush()');
  }, replica);
  const both = { databaseUrl: own.ownerUrl, databaseReplicaUrl: replica };
  const left = await until('the replica has counted', async () => {
    const findings = await look(unusedIndexes, both);
    return findings.length === 1 ? findings : undefined;
  });
  expect(left[0]).toMatchObject({
    level: 'advice',
    says: expect.stringMatching(/^public\.idle_one on public\.children/),
  });
});

test('a table with many sequential scans is reported, with the server', async () => {
  expect(await look(scannedTables, { databaseUrl: own.ownerUrl })).toMatchObject([{ level: 'ok' }]);
  for (let scan = 0; scan < SCANS_MIN; scan++) await client.query('select from children where a + b = 0');
  await client.query('select pg_stat_force_next_flush()');
  const findings = await until('the scans are counted', async () => {
    const seen = await look(scannedTables, { databaseUrl: own.ownerUrl, databaseReplicaUrl: replicaAsOwner() });
    return seen[0]?.level === 'advice' ? seen : undefined;
  });
  expect(findings[0]?.says).toMatch(/^primary read from end to end: public\.children \d\d times with [\d,]+ rows/);
  expect(findings[1]).toMatchObject({ level: 'ok', says: expect.stringMatching(/^replica: no table/) });
});

function replicaAsOwner(): string {
  const url = new URL(own.replicaUrl);
  const { username, password } = new URL(own.ownerUrl);
  return Object.assign(url, { username, password }).href;
}
