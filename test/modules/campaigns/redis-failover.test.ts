import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { countMailsTo } from '../../mails.ts';
import { addOrganisation } from '../../organisation.ts';
import { type Address, createAddress, startTwoServers, type TwoServers } from '../../two-redis-servers.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched, campaignOf } from './drafts.ts';

// As the mailer does it, ten times as often.
vi.mock('../../../src/modules/campaigns/limits.ts', async (original) => {
  const limits = await original<typeof import('../../../src/modules/campaigns/limits.ts')>();
  return { ...limits, SWEEP_EVERY_MS: limits.SWEEP_EVERY_MS / 10 };
});

let on: TestDatabase;
let servers: TwoServers;
let address: Address;
let mailer: TestWorker;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  servers = await startTwoServers();
  address = await createAddress(servers.first);
  const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', REDIS_URL: address.url };
  mailer = await startWorker('mailer', startMailer, environment);
});
afterAll(async () => {
  await mailer?.stop();
  address?.close();
  await servers?.stop();
  await on.close();
});

test('a campaign launched after Redis has failed over reaches everybody once, without a restart', async () => {
  const orgId = await addOrganisation(on.db);
  await addEmployees(on.db, orgId, 5, 'before.failover.test');
  const before = await addLaunched(on.database, orgId);
  await until('the first is sent', async () => (await campaignOf(on.db, orgId, before)).status === 'done');

  await servers.failOver(address);
  const other = await addOrganisation(on.db);
  await addEmployees(on.db, other, 5, 'after.failover.test');
  const after = await addLaunched(on.database, other);
  await until('the second is sent', async () => (await campaignOf(on.db, other, after)).status === 'done');
  expect(await countMailsTo('@before.failover.test')).toBe(5);
  expect(await countMailsTo('@after.failover.test')).toBe(5);
  expect(await mailer.process.health.readiness()).toMatchObject({ ready: true });
});
