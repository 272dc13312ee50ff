import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WEBHOOK_DELIVERY_DAYS } from '../../../src/modules/webhooks/limits.ts';
import { retention } from '../../../src/modules/webhooks/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addEndpoint } from './endpoint.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('deliveries are forgotten after a month, also those of a webhook that was deleted', async () => {
  const orgId = await addOrganisation(on.db);
  const { id } = await addEndpoint(on, orgId, 'https://hooks.example.com/');
  await sql`
    insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body, status, due_at, created_at)
    select ${orgId}::bigint, endpoint, name, 'webhook.test', '{}', 'delivered', null, now() - make_interval(days => days)
    from (values ('lately', ${id}::bigint, ${WEBHOOK_DELIVERY_DAYS - 1}::int), ('old', ${id}::bigint, ${WEBHOOK_DELIVERY_DAYS + 1}::int),
      ('orphan', ${id}::bigint + 1, ${WEBHOOK_DELIVERY_DAYS + 1}::int)) as given (name, endpoint, days)`.execute(on.db);
  expect(await retention.webhook_deliveries.forget(on.database, new AbortController().signal)).toBe(2);
  const left = await on.db.selectFrom('webhook_deliveries').where('org_id', '=', orgId).select('message_id').execute();
  expect(left).toEqual([{ message_id: 'lately' }]);
});
