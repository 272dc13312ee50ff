import { sql } from 'kysely';
import { type Database, openDatabase } from '../../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { networksOf } from '../../../src/http/ssrf-guard.ts';
import { sendWebhook, webhookRetryMs } from '../../../src/http/webhook-delivery.ts';
import { createWebhookSecret } from '../../../src/http/webhook-signature.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { every, startLoops } from '../../../src/queue/schedule.ts';
import { relayOutbox, type TopicHandler, writeToOutbox } from '../../../src/queue/transactional-outbox.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { CUSTOMERS_HOST, ORG_ID, type Shop } from './case.ts';

declare module '../../../src/queue/transactional-outbox.ts' {
  interface Topics {
    'order.told': { readonly order: number };
  }
}

export const name = 'hardened';

const SECRET = createWebhookSecret();
const NETWORKS = networksOf([`${CUSTOMERS_HOST}/32`]);
const EVERY_MS = 50;
const AT_ONCE = 50;

/** The order and its event commit together; each endpoint has a delivery of its own, which goes on until it succeeds. */
export function openShop({ workerDatabaseUrl }: Servers, endpoints: readonly string[]): Shop {
  const database = openDatabase({
    config: { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: undefined },
    name: 'api',
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
  const tellEndpoints: TopicHandler<'order.told'> = async (events, transaction) => {
    const orders = events.map(({ payload }) => payload.order);
    await sql`
      insert into deliveries (order_id, url)
      select order_id, url from unnest(${orders}::int[]) order_id, unnest(${[...endpoints]}::text[]) url`.execute(
      transaction,
    );
  };
  startLoops(
    [
      every(EVERY_MS, 'outbox', () => relayOutbox(database, { 'order.told': tellEndpoints }, BENCH_LOG)),
      every(EVERY_MS, 'deliveries', () => deliverDue(database)),
    ],
    BENCH_LOG,
  );
  return {
    async place(order) {
      await database.transact(ORG_ID, async (transaction) => {
        await sql`insert into orders (org_id, id) values (${ORG_ID}, ${order})`.execute(transaction);
        await writeToOutbox(transaction, { orgId: ORG_ID, topic: 'order.told', payload: { order } });
      });
    },
  };
}

async function deliverDue(database: Database): Promise<void> {
  const db = database.primary(EVERY_ORGANISATION);
  const { rows } = await sql<{ id: number; order: number; url: string; attempts: number }>`
    select id, order_id as "order", url, attempts from deliveries where due_at <= now() order by due_at limit ${AT_ONCE}`.execute(
    db,
  );
  await Promise.all(
    rows.map(async ({ id, order, url, attempts }) => {
      const call = { url, secrets: [SECRET], id: `msg_${order}`, body: JSON.stringify({ order }) };
      const { kind } = await sendWebhook(call, { networks: NETWORKS });
      const retryMs = kind === 'delivered' ? undefined : webhookRetryMs(attempts + 1);
      if (retryMs === undefined) await sql`delete from deliveries where id = ${id}`.execute(db);
      else
        await sql`
          update deliveries set attempts = attempts + 1, due_at = now() + make_interval(secs => ${retryMs / 1_000}::float8)
          where id = ${id}`.execute(db);
    }),
  );
}
