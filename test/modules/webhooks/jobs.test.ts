import { afterAll, beforeAll, expect, test } from 'vitest';
import { announceEvent } from '../../../src/modules/webhooks/webhooks.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { TEST_MODULES } from '../../modules.ts';
import { addOrganisation } from '../../organisation.ts';
import { openReceiver } from '../../webhook-receiver.ts';
import { emptyRedis, startWorker, testEnvironment } from '../../worker.ts';
import { addEndpoint } from './endpoint.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  await emptyRedis();
});
afterAll(() => on.close());

test('the mailer brings events to their endpoints, and counts how that ended', async () => {
  const orgId = await addOrganisation(on.db);
  const [good, bad] = [await openReceiver(204), await openReceiver(500)];
  await addEndpoint(on, orgId, good.url);
  await addEndpoint(on, orgId, bad.url);
  await on.database.write(orgId, (transaction) =>
    announceEvent(transaction, { orgId, type: 'note.written', data: { noteId: 1 } }),
  );
  const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', WEBHOOK_NETWORKS: '127.0.0.0/8' };
  const mailer = await startWorker('mailer', startMailer, environment, TEST_MODULES);
  await until('both were called', () => good.received.length + bad.received.length === 2);
  const counted = await until('both are counted', async () => {
    const text = await mailer.process.metrics.text();
    const lines = text.split('\n').filter((line) => line.startsWith('tardigrade_webhook_calls_total{'));
    return lines.length === 2 ? lines.map((line) => line.replace(/.*outcome="(\w+)".* (\d+)$/, '$1 $2')) : undefined;
  });
  expect(counted.toSorted()).toEqual(['delivered 1', 'refused 1']);
  expect(await mailer.stop()).toBe(true);
});
