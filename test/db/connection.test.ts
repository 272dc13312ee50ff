import { sql } from 'kysely';
import { Pool, type PoolClient } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRandom, type Random } from '../../bench/load/random.ts';
import { Connection, lend } from '../../src/db/connection.ts';
import { openPool, type PooledDatabase } from '../../src/db/pool.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION, type Scope } from '../../src/db/tenant-isolation.ts';
import { sqlState } from '../../src/errors.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { adminUrlOf, createTestDatabase, openPoolOfOne, type TestDatabase } from '../database.ts';
import { createQuietLog } from '../process/quiet-log.ts';
import { addOrganisationWithPapers, createPapers } from './papers.ts';
import { createTcpProxy, tearAnswers } from './tcp-proxy.ts';

let on: TestDatabase;
let ours: number;
let theirs: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  await createPapers(on.db);
  ours = await addOrganisationWithPapers(on.db, 'ours.test', 1);
  theirs = await addOrganisationWithPapers(on.db, 'theirs.test', 1);
});
afterAll(() => on.close());

test('a connection whose holder leaves a transaction open is closed, and not lent to somebody else', async () => {
  const pool = openPoolOfOne(on.url);
  await pool
    .within({ scope: ours })
    .connection()
    .execute((connection) => sql`begin`.execute(connection));
  expect(await scopeOf(pool.within({ scope: theirs }))).toEqual(tenant(theirs));
});

test('a COMMIT that failed before it ended the transaction leaves nothing of it to the next holder', async () => {
  const pool = openPoolOfOne(on.url);
  const within = pool.within({ scope: ours });
  await within.transaction().execute(scopeOf); // COMMIT is prepared from now on
  const failed = within.connection().execute(async (connection) => {
    const transaction = await connection.startTransaction().execute();
    await sql`deallocate all`.execute(transaction);
    await transaction.commit().execute();
  });
  await expect(failed).rejects.toThrow(/prepared statement .* does not exist/);
  expect(await scopeOf(pool.within({ scope: theirs }))).toEqual(tenant(theirs));
});

test('what somebody asks for after giving the connection back is not sent in the transaction of its next holder', async () => {
  const pool = openPoolOfOne(on.url);
  let kept: Db | undefined;
  await pool
    .within({ scope: ours })
    .connection()
    .execute(async (connection) => {
      kept = connection;
    });
  await pool
    .within({ scope: theirs })
    .transaction()
    .execute(async (transaction) => {
      await expect(scopeOf(kept as Db)).rejects.toMatchObject({ name: 'LateStatementError' });
      expect(await scopeOf(transaction)).toEqual(tenant(theirs));
    });
});

test('what was asked for within a transaction is not sent after its end', async () => {
  const client = new Connection(on.ownerUrl);
  await client.connect();
  onTestFinished(() => client.end());
  const { query } = lend(client as unknown as PoolClient, undefined);
  await query('begin', []);
  const [rolledBack, late] = await Promise.allSettled([query('rollback', []), query(`select 'late'`, [])]);
  expect(rolledBack).toMatchObject({ status: 'fulfilled' });
  expect(late).toMatchObject({ reason: { name: 'LateStatementError' } });
});

test('whatever fails whenever: each of thousands of statements runs in the scope of who sent it, or not at all', async () => {
  const random = createRandom(20_261_126);
  await sql`create function fail_at_commit() returns trigger language plpgsql as $$ begin
    raise exception 'at commit' using errcode = '40001'; end $$`.execute(on.db);
  await sql`create constraint trigger fail_at_commit after insert on papers deferrable initially deferred
    for each row when (new.domain = 'fails') execute function fail_at_commit()`.execute(on.db);
  const pool = await openUnsteadyPool(random);
  const admin = new Pool({ connectionString: adminUrlOf(on), max: 2 });
  onTestFinished(() => admin.end());
  const wrong: unknown[] = [];
  const seen = { right: 0, failed: 0 };

  async function look(db: Db, scope: Scope): Promise<void> {
    const found = await scopeOf(db);
    const expected = scope === EVERY_ORGANISATION ? { ...tenant(''), role: 'tardigrade_system' } : tenant(scope);
    if (JSON.stringify(found) === JSON.stringify(expected)) seen.right++;
    else wrong.push({ found, expected });
  }

  async function disturb(): Promise<void> {
    const end = random.next() < 0.1 ? 'pg_terminate_backend(pid)' : 'pg_cancel_backend(pid)';
    await admin.query(
      `select ${end} from pg_stat_activity where datname = current_database() and usename = $1 order by random() limit 1`,
      [new URL(on.url).username],
    );
  }

  async function use(db: Db, scope: Scope): Promise<void> {
    const kind = random.below(5);
    if (kind === 0) return look(db, scope);
    if (kind === 1) return fail(db);
    await db.transaction().execute(async (transaction) => {
      await look(transaction, scope);
      if (kind === 2) await fail(transaction);
      if (kind === 3 && scope !== EVERY_ORGANISATION)
        await sql`insert into papers (org_id, domain) values (${scope}, 'fails')`.execute(transaction);
      await look(transaction, scope);
    });
  }

  const scopes: Scope[] = [ours, theirs, EVERY_ORGANISATION];
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let n = 0; n < 100; n++) {
        const scope = random.pick(scopes) as Scope;
        const disturbed = random.next() < 0.3 ? disturb() : undefined;
        await use(pool.within({ scope }), scope).catch((error) => {
          seen.failed++;
          // What a scope that is missing, or a transaction that somebody left behind, would end in.
          if (/^(42501|22P02|42704|25P0[12])$/.test(sqlState(error) ?? '') || error.name === 'LateStatementError')
            wrong.push(error);
        });
        await disturbed;
      }
    }),
  );
  expect(wrong).toEqual([]);
  // Otherwise it would prove little. How many of each is the machine's.
  expect(seen.right).toBeGreaterThan(200);
  expect(seen.failed).toBeGreaterThan(100);
});

/** Two connections over a line that hands the server's answers on in pieces, each a moment later. */
async function openUnsteadyPool(random: Random): Promise<PooledDatabase> {
  const proxy = await createTcpProxy(on.url);
  tearAnswers(proxy, random);
  const pool = openPool('primary', {
    url: proxy.url,
    processName: 'test',
    max: 2,
    statementMs: 5_000,
    log: createQuietLog().log,
    metrics: createMetrics('test'),
  });
  onTestFinished(async () => {
    await pool.close();
    await proxy.close();
  });
  return pool;
}

interface FoundScope {
  readonly role: string;
  readonly organisation: string;
  readonly plan: string;
}

async function scopeOf(db: Db): Promise<FoundScope> {
  const { rows } =
    await sql<FoundScope>`select current_user::text as role, current_setting('app.org', true) as organisation,
    current_setting('plan_cache_mode') as plan`.execute(db);
  return rows[0] as FoundScope;
}

async function fail(db: Db): Promise<void> {
  await sql`select 1 / 0`.execute(db);
}

function tenant(organisation: number | string): FoundScope {
  return { role: 'tardigrade_tenant', organisation: String(organisation), plan: 'force_generic_plan' };
}
