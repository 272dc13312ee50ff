import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { OUTBOX_BATCH_ROWS } from '../../src/limits.ts';
import { CAMPAIGN_LAUNCHED } from '../../src/modules/campaigns/campaigns.ts';
import { deliverLaunches } from '../../src/modules/campaigns/jobs.ts';
import { openQueue } from '../../src/queue/queues.ts';
import { type OutboxEvent, relayOutbox, writeToOutbox } from '../../src/queue/transactional-outbox.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  await on.db.deleteFrom('outbox').execute();
});

const launched = (campaignId: number) => ({ orgId: 1, topic: CAMPAIGN_LAUNCHED, payload: { campaignId } });

async function relayed(): Promise<OutboxEvent[]> {
  const seen: OutboxEvent[] = [];
  await relayOutbox(on.database, async (events) => void seen.push(...events));
  return seen;
}

test('what was committed is delivered, in the order written, and once', async () => {
  await on.database.write(EVERY_ORGANISATION, async (transaction) => {
    for (const id of [3, 1, 2]) await writeToOutbox(transaction, launched(id));
  });
  expect((await relayed()).map((event) => event.payload)).toEqual([
    { campaignId: 3 },
    { campaignId: 1 },
    { campaignId: 2 },
  ]);
  expect(await relayed()).toEqual([]);
});

test('what was rolled back is never delivered', async () => {
  const rolledBack = on.database.write(EVERY_ORGANISATION, async (transaction) => {
    await writeToOutbox(transaction, launched(1));
    throw new Error('the caller changed its mind');
  });
  await expect(rolledBack).rejects.toThrow('changed its mind');
  expect(await relayed()).toEqual([]);
});

test('a crash between delivery and commit delivers again, and the queue holds one job', async () => {
  await emptyRedis();
  const redis = new Redis(testRedisUrl());
  const queue = openQueue('campaigns', redis);
  await on.database.write(EVERY_ORGANISATION, (transaction) => writeToOutbox(transaction, launched(7)));

  const crashed = relayOutbox(on.database, async (events) => {
    await deliverLaunches(queue, events);
    throw new Error('crash');
  });
  await expect(crashed).rejects.toThrow('crash');
  expect(await queue.getWaitingCount()).toBe(1);

  let again = 0;
  await relayOutbox(on.database, async (events) => {
    again = events.length;
    await deliverLaunches(queue, events);
  });
  expect(again).toBe(1);
  expect((await queue.getWaiting()).map((job) => job.data)).toEqual([{ orgId: 1, campaignId: 7 }]);
  await queue.close();
  redis.disconnect();
});

test('two relays at once work side by side, and each event goes out once', async () => {
  const written = OUTBOX_BATCH_ROWS + 50;
  await on.database.write(EVERY_ORGANISATION, async (transaction) => {
    for (let id = 1; id <= written; id++) await writeToOutbox(transaction, launched(id));
  });
  const { promise: bothHold, resolve: letGo } = Promise.withResolvers<void>();
  const batches: number[][] = [];
  const relay = () =>
    relayOutbox(on.database, async (events) => {
      batches.push(events.map((event) => (event.payload as { campaignId: number }).campaignId));
      // Neither commits before both have taken theirs: a relay that waits for the other's rows never gets here.
      if (batches.length === 2) letGo();
      await bothHold;
    });
  expect((await Promise.all([relay(), relay()])).sort((a, b) => a - b)).toEqual([50, OUTBOX_BATCH_ROWS]);
  expect(new Set(batches.flat()).size).toBe(written);
});
