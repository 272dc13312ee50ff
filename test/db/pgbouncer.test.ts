import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createPgBouncer, type PgBouncer } from '../../scripts/embedded/pgbouncer.ts';
import { refuseOverBudget } from '../../src/db/connection-budget.ts';
import { openPool, type PooledDatabase } from '../../src/db/pool.ts';
import { type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../database.ts';
import { addOrganisationWithPapers, createPapers } from './papers.ts';

/** As in the README's "Behind PgBouncer", but for the first two: small, so that everything is shared and pushed out. */
const SETTINGS = {
  default_pool_size: 2,
  max_prepared_statements: 3,
  ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
};
const PROCESSES = 4;
const POOL_MAX = 5;

let on: TestDatabase;
let bouncer: PgBouncer;
let ours: number;
let theirs: number;
beforeAll(async () => {
  on = await createTestDatabase();
  await createPapers(on.db);
  ours = await addOrganisationWithPapers(on.db, 'ours.test', 3);
  theirs = await addOrganisationWithPapers(on.db, 'theirs.test', 5);
  const { username, pathname } = new URL(on.url);
  const role = `alter role ${username} in database ${pathname.slice(1)}`;
  await asAdmin((client) =>
    client.query(`${role} set statement_timeout = '8s'; ${role} set lock_timeout = '3s';
      ${role} set idle_in_transaction_session_timeout = '10s'`),
  );
  bouncer = await startBouncer(SETTINGS);
});
afterAll(async () => {
  await bouncer?.stop();
  await on.close();
});

test('twenty clients on two server connections: transactions do not mix, and each sees its own organisation', async () => {
  const processes = openProcesses();
  const before = { ours: await writtenBy(ours), theirs: await writtenBy(theirs) };
  const transact = (n: number) =>
    (processes[n % PROCESSES] as PooledDatabase)
      .within({ scope: n % 2 ? ours : theirs })
      .transaction()
      .execute(async (transaction) => {
        const first = await backend(transaction);
        await sql`insert into outbox (org_id, topic, payload) values (${n % 2 ? ours : theirs}, ${`written ${n}`}, '{}')`.execute(
          transaction,
        );
        const { rows } = await sql<{ papers: number }>`select count(*)::int as papers from papers`.execute(transaction);
        return { n, papers: rows[0]?.papers, pids: new Set([first, await backend(transaction)]) };
      });
  const CLIENTS = PROCESSES * POOL_MAX;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const own = [];
    for (let n = client; n < 100; n += CLIENTS) own.push(await transact(n));
    return own;
  });
  const done = (await Promise.all(clients)).flat();
  for (const { n, papers, pids } of done) {
    expect(pids.size).toBe(1);
    expect(papers).toBe(n % 2 ? 3 : 5);
  }
  expect(new Set(done.flatMap(({ pids }) => [...pids])).size).toBe(SETTINGS.default_pool_size);
  expect(await writtenBy(ours)).toBe(before.ours + 50);
  expect(await writtenBy(theirs)).toBe(before.theirs + 50);
});

test('named statements: each connection has those of others under names of its own, and gets the right one', async () => {
  const processes = openProcesses();
  const texts = SETTINGS.max_prepared_statements * 4; // more than one connection keeps
  const ask = async (n: number) => {
    const db = processes[n % PROCESSES]?.within({ scope: n % 2 ? ours : theirs }) as Db;
    const { rows } = await sql<{ sum: number; org: number }>`
      select ${sql.raw(String(n % texts))} + ${n}::int as sum, min(org_id) as org from papers`.execute(db);
    return { n, ...rows[0] };
  };
  const answers = [];
  // Several times the connections at once, and not so many that the last of them have waited for too long.
  for (let from = 0; from < 300; from += 60)
    answers.push(...(await Promise.all(Array.from({ length: 60 }, (_, n) => ask(from + n)))));
  for (const { n, sum, org } of answers) {
    expect(sum).toBe((n % texts) + n);
    expect(org).toBe(n % 2 ? ours : theirs);
  }
  const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(system(processes[0]));
  expect(rows.length).toBeLessThanOrEqual(SETTINGS.max_prepared_statements);
  for (const { name } of rows) expect(name).toMatch(/^PGBOUNCER_/);
});

test('a role, an organisation and a broken transaction end with their client: nobody finds them', async () => {
  const processes = openProcesses();
  const failing = Array.from({ length: 20 }, (_, n) =>
    processes[n % PROCESSES]
      ?.within({ scope: ours })
      .transaction()
      .execute((transaction) => sql`select 1 / 0`.execute(transaction)),
  );
  for (const outcome of await Promise.allSettled(failing)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
  }
  const looks = Array.from({ length: 20 }, (_, n) =>
    sql`select current_user as role, current_setting('app.org', true) as org`.execute(
      processes[n % PROCESSES]?.unscoped as Db,
    ),
  );
  for (const { rows } of await Promise.all(looks)) {
    expect(rows).toEqual([{ role: new URL(on.url).username, org: '' }]);
  }
  await expect(sql`select from papers`.execute(processes[0]?.unscoped as Db)).rejects.toMatchObject({
    code: '42501',
  });
});

test('what this setup would show if it leaked: a plain SET of one client is found by the next', async () => {
  const [one, other] = [await connected(bouncer.url), await connected(bouncer.url)];
  await one.query(`set app.org = '4711'`);
  onTestFinished(() => one.query('reset app.org').then(() => undefined));
  await until('the other client gets that server connection', async () => {
    const { rows } = await other.query(`select current_setting('app.org', true) as org`);
    return rows[0].org === '4711';
  });
});

test('the limits that the product sends are ignored here; those of the role are in force', async () => {
  const { rows } = await sql`select name, setting from pg_settings
    where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`.execute(
    openProcesses()[0]?.unscoped as Db,
  );
  expect(rows).toEqual([
    { name: 'idle_in_transaction_session_timeout', setting: '10000' },
    { name: 'lock_timeout', setting: '3000' },
    { name: 'statement_timeout', setting: '8000' },
  ]);
});

test('not told to ignore them, PgBouncer refuses the product, and says which', async () => {
  const strict = await startBouncer({ default_pool_size: 2 });
  onTestFinished(() => strict.stop());
  await expect(backend(open(strict.url).unscoped)).rejects.toThrow(
    /unsupported startup parameter: (statement_timeout|lock_timeout|idle_in_transaction_session_timeout)/,
  );
});

test('without max_prepared_statements the second server connection does not know a name', async () => {
  const unprepared = await startBouncer({ ...SETTINGS, max_prepared_statements: 0 });
  onTestFinished(() => unprepared.stop());
  const pool = open(unprepared.url);
  const answers = Array.from({ length: 20 }, () => backend(system(pool)));
  const outcomes = await Promise.allSettled(answers);
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : undefined));
  expect(codes.some((code) => code === '26000' || code === '42P05')).toBe(true);
});

test('reads on the replica, behind a PgBouncer of its own, see the write whose position they carry', async () => {
  const replica = await startBouncer(SETTINGS, on.replicaUrl);
  onTestFinished(() => replica.stop());
  const database = openThrough(replica.url);
  await until('the replica is taken for usable', () => database.replica().state === 'usable');
  for (let n = 0; n < 50; n++) {
    const { position } = await database.write(ours, (transaction) =>
      sql`insert into papers (org_id, domain) values (${ours}, ${`read-back-${n}.test`})`.execute(transaction),
    );
    const { rows } = await database.read(ours, position, (db) =>
      sql`select domain from papers where domain = ${`read-back-${n}.test`}`.execute(db),
    );
    expect(rows).toEqual([{ domain: `read-back-${n}.test` }]);
  }
  const { rows } = await database.read(ours, undefined, (db) =>
    sql`select pg_is_in_recovery() as is_replica`.execute(db),
  );
  expect(rows).toEqual([{ is_replica: true }]);
});

test('a server connection that dies is replaced: the transaction that had it is run again', async () => {
  const database = openThrough();
  let runs = 0;
  const { value } = await database.write(ours, async (transaction) => {
    runs += 1;
    const pid = await backend(transaction);
    if (runs === 1) await asAdmin((client) => client.query('select pg_terminate_backend($1)', [pid]));
    await sql`select 1 from papers`.execute(transaction);
    return 'done';
  });
  expect({ value, runs }).toEqual({ value: 'done', runs: 2 });
});

test('reads that are sent behind one another keep their scopes, with a pooler in between', async () => {
  const pools = Array.from({ length: PROCESSES }, () => open(bouncer.url, 'replica'));
  const whose = sql<{ org: string }>`select current_setting('app.org') as org`;
  const scopeOf = async (org: number) =>
    (await whose.execute(pools[org % PROCESSES]?.within({ scope: org }) as Db)).rows[0]?.org;
  // More at once than there are connections; no more than a busy machine answers before the product would give up.
  for (let first = 0; first < 400; first += 80) {
    const orgs = Array.from({ length: 80 }, (_, n) => first + n);
    expect(await Promise.all(orgs.map(scopeOf))).toEqual(orgs.map(String));
  }
});

test('the budget is the pooler’s to keep: a deployment that the server alone could not hold may start', async () => {
  const log = createLog('test', 'silent');
  const many = { api: 100, mailer: 1, chat: 1, all: 0 };
  await expect(refuseOverBudget(on.database, many, true, log)).rejects.toThrow(/put PgBouncer in between/);
  await expect(refuseOverBudget(openThrough(), many, true, log)).resolves.toBeUndefined();
});

function openThrough(databaseReplicaUrl?: string): Database {
  const database = openDatabase({
    config: { databaseUrl: bouncer.url, databaseReplicaUrl },
    name: 'api',
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  onTestFinished(() => database.close());
  return database;
}

function openProcesses(): PooledDatabase[] {
  return Array.from({ length: PROCESSES }, () => open(bouncer.url));
}

function open(url: string, server: 'primary' | 'replica' = 'primary'): PooledDatabase {
  const pool = openPool(server, {
    url,
    processName: 'test',
    max: POOL_MAX,
    statementMs: 8_000,
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  onTestFinished(() => pool.close());
  return pool;
}

async function startBouncer(settings: Record<string, string | number>, url = on.url): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-pgbouncer-'));
  const started = await createPgBouncer({ folder, url, settings });
  return {
    ...started,
    async stop() {
      await started.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

function system(pool: PooledDatabase | undefined): Db {
  return pool?.within({ scope: EVERY_ORGANISATION }) as Db;
}

async function backend(db: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid as number;
}

async function writtenBy(orgId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from outbox where org_id = ${orgId}`.execute(on.db);
  return rows[0]?.count as number;
}
