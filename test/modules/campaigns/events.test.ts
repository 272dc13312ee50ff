import { afterAll, beforeAll, expect, test } from 'vitest';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { openReceiver } from '../../webhook-receiver.ts';
import { emptyRedis, startWorker, testEnvironment } from '../../worker.ts';
import { addEmployees } from '../employees/people.ts';
import { addEndpoint } from '../webhooks/endpoint.ts';
import { addLaunched } from './drafts.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  await emptyRedis();
});
afterAll(() => on.close());

test('a webhook hears that a campaign was launched, and that it has been sent', async () => {
  const orgId = await addOrganisation(on.db);
  await addEmployees(on.db, orgId, 2, 'events.campaigns.test');
  const receiver = await openReceiver();
  await addEndpoint(on, orgId, receiver.url, ['campaign.launched', 'campaign.finished']);
  const campaignId = await addLaunched(on.database, orgId);
  const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', WEBHOOK_NETWORKS: '127.0.0.0/8' };
  const mailer = await startWorker('mailer', startMailer, environment);
  await until('both have arrived', () => receiver.received.length === 2);
  await mailer.stop();
  const heard = receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: object });
  expect(heard.map(({ type }) => type).toSorted()).toEqual(['campaign.finished', 'campaign.launched']);
  expect(heard.map(({ data }) => data)).toEqual([{ campaignId }, { campaignId }]);
});
