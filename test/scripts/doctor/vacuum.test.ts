import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { bloat } from '../../../scripts/doctor/bloat.ts';
import { longTransactions } from '../../../scripts/doctor/long-transactions.ts';
import { transactionAge } from '../../../scripts/doctor/transaction-age.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { look } from './servers.ts';

/** Nobody waits for five minutes or a billion transactions: the lines are drawn where a test gets in moments. */
const lines = vi.hoisted(() => ({ transactionMs: 300_000, xidAge: 1_000_000_000, freezeFactor: 1.5 }));
vi.mock('../../../scripts/doctor/limits.ts', async (original) => ({
  ...(await original<object>()),
  get TRANSACTION_MS_MAX() {
    return lines.transactionMs;
  },
  get XID_AGE_MAX() {
    return lines.xidAge;
  },
  get FREEZE_OVERDUE_FACTOR() {
    return lines.freezeFactor;
  },
}));

let own: TestDatabase;
let client: Client;

beforeAll(async () => {
  own = await createTestDatabase({ replica: false });
  client = new Client({ connectionString: own.ownerUrl, application_name: 'forgetful' });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await own.close();
});

test('dead rows that vacuum does not remove are reported with the reason', async () => {
  expect(await look(bloat, { databaseUrl: own.ownerUrl })).toMatchObject([{ level: 'ok' }, { level: 'ok' }]);
  await client.query(`
    create table left_alone (id int) with (autovacuum_enabled = off);
    insert into left_alone select generate_series(1, 20000)`);
  await client.query('delete from left_alone');
  await client.query('select pg_stat_force_next_flush()');
  const [dead, off] = await until('the dead rows are counted', async () => {
    const findings = await look(bloat, { databaseUrl: own.ownerUrl });
    return findings[0]?.level === 'advice' ? findings : undefined;
  });
  expect(dead?.says).toBe('dead rows: public.left_alone 20,000 (100 %, never vacuumed)');
  expect(off).toMatchObject({ level: 'advice', says: 'autovacuum is switched off for public.left_alone' });
});

test('a forgotten transaction is reported with the statement that ends it', async () => {
  lines.transactionMs = 1;
  await client.query('begin');
  await client.query('select 1');
  const findings = await look(longTransactions, { databaseUrl: own.ownerUrl });
  await client.query('rollback');
  lines.transactionMs = 300_000;
  const [forgotten] = findings.filter(({ says }) => says.includes('(forgetful, role '));
  expect(forgotten).toMatchObject({ level: 'advice', says: expect.stringContaining('(idle in transaction)') });
  expect(forgotten?.advice).toMatch(/^select pg_terminate_backend\(\d+\)/);
  expect(await look(longTransactions, { databaseUrl: own.ownerUrl })).toMatchObject([{ level: 'ok' }]);
});

test('transaction ids that run out are a danger, and an overdue freeze is reported before that', async () => {
  const levels = async () => {
    const [transactions] = await look(transactionAge, { databaseUrl: inject('databaseAdminUrl') });
    return transactions?.level;
  };
  expect(await levels()).toBe('ok');
  lines.freezeFactor = 0;
  expect(await levels()).toBe('advice');
  lines.xidAge = 1;
  expect(await levels()).toBe('danger');
});
