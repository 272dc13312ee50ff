import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { backendCpuSeconds } from '../../../bench/patterns/backend-cpu.ts';
import * as batchWriteCase from '../../../bench/patterns/batch-write/case.ts';
import * as batchWriteHardened from '../../../bench/patterns/batch-write/hardened.ts';
import * as batchWriteNaive from '../../../bench/patterns/batch-write/naive.ts';
import { benchOrganisation } from '../../../bench/patterns/bench-organisation.ts';
import { BENCH_APPLICATION, openBenchPool } from '../../../bench/patterns/bench-pool.ts';
import * as connectionBudgetCase from '../../../bench/patterns/connection-budget/case.ts';
import * as connectionBudgetHardened from '../../../bench/patterns/connection-budget/hardened.ts';
import * as connectionBudgetNaive from '../../../bench/patterns/connection-budget/naive.ts';
import * as deadlockRetryCase from '../../../bench/patterns/deadlock-retry/case.ts';
import * as deadlockRetryHardened from '../../../bench/patterns/deadlock-retry/hardened.ts';
import * as deadlockRetryNaive from '../../../bench/patterns/deadlock-retry/naive.ts';
import * as fanOutCase from '../../../bench/patterns/fan-out/case.ts';
import * as fanOutHardened from '../../../bench/patterns/fan-out/hardened.ts';
import * as fanOutNaive from '../../../bench/patterns/fan-out/naive.ts';
import * as keysetPaginationCase from '../../../bench/patterns/keyset-pagination/case.ts';
import * as keysetPaginationHardened from '../../../bench/patterns/keyset-pagination/hardened.ts';
import * as keysetPaginationNaive from '../../../bench/patterns/keyset-pagination/naive.ts';
import type { Outcome, PatternCase, Servers } from '../../../bench/patterns/pattern.ts';
import * as preparedStatementsCase from '../../../bench/patterns/prepared-statements/case.ts';
import * as preparedStatementsHardened from '../../../bench/patterns/prepared-statements/hardened.ts';
import * as preparedStatementsNaive from '../../../bench/patterns/prepared-statements/naive.ts';
import * as readWriteSplitCase from '../../../bench/patterns/read-write-split/case.ts';
import * as readWriteSplitHardened from '../../../bench/patterns/read-write-split/hardened.ts';
import * as readWriteSplitNaive from '../../../bench/patterns/read-write-split/naive.ts';
import { replicaLine } from '../../../bench/patterns/read-write-split/replica.ts';
import * as streamingExportCase from '../../../bench/patterns/streaming-export/case.ts';
import * as streamingExportHardened from '../../../bench/patterns/streaming-export/hardened.ts';
import * as streamingExportNaive from '../../../bench/patterns/streaming-export/naive.ts';
import * as tenantIsolationCase from '../../../bench/patterns/tenant-isolation/case.ts';
import * as tenantIsolationHardened from '../../../bench/patterns/tenant-isolation/hardened.ts';
import * as tenantIsolationNaive from '../../../bench/patterns/tenant-isolation/naive.ts';
import { createMailCatcher } from '../../../scripts/embedded/mail.ts';
import { StartError } from '../../../src/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';

type Pair = { pattern: PatternCase<unknown, unknown>; naive: unknown; hardened: unknown };

const PAIRS = [
  pair(batchWriteCase.pattern, batchWriteNaive, batchWriteHardened),
  pair(connectionBudgetCase.pattern, connectionBudgetNaive, connectionBudgetHardened),
  pair(deadlockRetryCase.pattern, deadlockRetryNaive, deadlockRetryHardened),
  pair(fanOutCase.pattern, fanOutNaive, fanOutHardened),
  pair(keysetPaginationCase.pattern, keysetPaginationNaive, keysetPaginationHardened),
  pair(preparedStatementsCase.pattern, preparedStatementsNaive, preparedStatementsHardened),
  pair(readWriteSplitCase.pattern, readWriteSplitNaive, readWriteSplitHardened),
  pair(streamingExportCase.pattern, streamingExportNaive, streamingExportHardened),
  pair(tenantIsolationCase.pattern, tenantIsolationNaive, tenantIsolationHardened),
].map((one) => [one.pattern.slug, one] as const);

let own: TestDatabase;
let servers: Servers;
let folder: string;
let mail: Awaited<ReturnType<typeof createMailCatcher>>;

beforeAll(async () => {
  // Its own, so that no other test's mails are among the hundreds of these.
  folder = mkdtempSync(join(tmpdir(), 'tardigrade-pairs-'));
  mail = await createMailCatcher({ folder, smtpPort: await getPort(), webPort: await getPort() });
  own = await createTestDatabase();
  const admin = new URL(inject('databaseAdminUrl'));
  admin.pathname = new URL(own.ownerUrl).pathname;
  servers = {
    databaseUrl: own.ownerUrl,
    workerDatabaseUrl: own.url,
    workerReplicaUrl: own.replicaUrl,
    databaseAdminUrl: admin.href,
    replicaAdminUrl: inject('replicaAdminUrl'),
    smtpUrl: mail.smtpUrl,
  };
  // The pairs take the organisation that is there: a small one serves small inputs.
  await benchOrganisation(own.ownerUrl, { conversations: 2_000, answersEach: 1 });
});
afterAll(async () => {
  await own?.close();
  await mail?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(PAIRS)(
  '%s: both twins give the same result on the small input, also twice',
  async (_slug, { pattern, naive, hardened }) => {
    await pattern.prepare(servers);
    await pattern.prepare(servers);
    const digests = [];
    for (const twin of [naive, hardened, naive, hardened]) {
      digests.push((await pattern.perform(twin, pattern.small, servers)).digest);
    }
    expect(digests[0]).not.toBe('');
    expect(new Set(digests)).toEqual(new Set([digests[0]]));
  },
);

test.each(PAIRS)(
  '%s: a naive twin that does what the hardened one does is not broken',
  async (_slug, { pattern, hardened }) => {
    const { digest, figures } = await pattern.perform(hardened, pattern.small, servers);
    const outcome: Outcome = { ending: 'finished', digest, figures, seconds: 1, peakBytes: 1, cpuSeconds: 1 };
    expect(pattern.isBroken(outcome, outcome)).toBe(false);
  },
);

test.each(PAIRS)('%s: a hardened twin that was killed does not hold', (_slug, { pattern }) => {
  const killed: Outcome = { ending: 'OOM-killed', digest: '', figures: {}, seconds: 1, peakBytes: 1, cpuSeconds: 1 };
  expect(pattern.isHeld(killed)).toBe(false);
});

test('a deployment whose small pools still pass max_connections is not started', async () => {
  await expect(connectionBudgetHardened.startInstances(own.ownerUrl, 40)).rejects.toThrow(StartError);
  await expect(connectionBudgetHardened.startInstances(own.ownerUrl, 40)).rejects.toThrow(/api 40 x \d+/);
});

test('a query that forgets whose rows it asks for shows others to the naive twin, and to the hardened one only its own', async () => {
  const { pattern } = tenantIsolationCase;
  const input = { questions: 20, forgetful: true, rounds: 0 };
  const naive = await pattern.perform(tenantIsolationNaive, input, servers);
  const hardened = await pattern.perform(tenantIsolationHardened, input, servers);
  expect(naive.figures).toEqual({ ownRows: 20, foreignRows: 2 });
  expect(hardened.figures).toEqual({ ownRows: 20, foreignRows: 0 });
});

test('a line to the replica that was cut has ended its connections and accepts no more', async () => {
  const line = await replicaLine(own.replicaUrl);
  const client = new Client({ connectionString: line.url });
  const ended = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  expect((await client.query('select pg_is_in_recovery() as there')).rows).toEqual([{ there: true }]);
  await line.cut();
  await ended;
  await expect(new Client({ connectionString: line.url }).connect()).rejects.toThrow(/ECONNREFUSED/);
});

test('the processor time of the server rises with its work, and only that of the connections asked for', async () => {
  const { unscoped: db, close } = openBenchPool(own.ownerUrl, 1);
  const before = await backendCpuSeconds(db, BENCH_APPLICATION);
  await sql`select sum(n) from generate_series(1, 1000000) n`.execute(db);
  expect(await backendCpuSeconds(db, BENCH_APPLICATION)).toBeGreaterThan(before);
  expect(await backendCpuSeconds(db, 'nobody of this name')).toBe(0);
  await close();
});

function pair<V, I>(pattern: PatternCase<V, I>, naive: V, hardened: V): Pair {
  return { pattern: pattern as PatternCase<unknown, unknown>, naive, hardened };
}
