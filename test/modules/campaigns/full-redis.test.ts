import { afterAll, beforeAll, expect, test } from 'vitest';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { type SmallRedis, startSmallRedis } from '../../full-redis.ts';
import { addOrganisation } from '../../organisation.ts';
import { type ScriptedSmtp, startScriptedSmtp } from '../../smtp.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched, campaignOf } from './drafts.ts';

let on: TestDatabase;
let redis: SmallRedis;
let smtp: ScriptedSmtp;
let mailer: TestWorker;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  redis = await startSmallRedis();
  smtp = await startScriptedSmtp();
  const addresses = { DATABASE_REPLICA_URL: '', REDIS_URL: redis.url, SMTP_URL: smtp.url, MAIL_PER_SECOND: '100' };
  mailer = await startWorker('mailer', startMailer, { ...(await testEnvironment(on)), ...addresses });
});
afterAll(async () => {
  await mailer?.stop();
  await smtp?.close();
  await redis?.stop();
  await on.close();
});

const isReady = async () => (await mailer.process.health.readiness()).ready;
const launchedTo = async (people: number) => {
  const orgId = await addOrganisation(on.db);
  await addEmployees(on.db, orgId, people, 'full.test');
  return { orgId, id: await addLaunched(on.database, orgId) };
};

test('a Redis that fills up in the middle of a campaign loses nothing, is said, and everybody gets one mail when it has room', async () => {
  const begun = await launchedTo(400);
  await until('it has begun', () => smtp.received.length > 50);
  await redis.fill();
  await until('the mailer says that it cannot work', async () => !(await isReady()));
  const { checks } = await mailer.process.health.readiness();
  expect(checks['redis memory']).toContain('full');
  const later = await launchedTo(5);

  await redis.makeRoom();
  for (const { orgId, id } of [begun, later])
    await until('it is done', async () => (await campaignOf(on.db, orgId, id)).status === 'done');
  expect(smtp.received).toHaveLength(405);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(405);
  expect(await isReady()).toBe(true);
});
