import type { Tenant } from '../../scenarios/tenant.ts';
import { addEndpoint } from './endpoint.ts';

export const tenant: Tenant = {
  async arrange({ orgId, database: { db }, mark }) {
    const { id } = await addEndpoint({ db }, orgId, `https://hooks.example.com/${mark}`, ['member.joined']);
    const message = { message_id: `msg_${mark}`, event_type: 'webhook.test', body: JSON.stringify({ mark }) };
    const delivery = await db
      .insertInto('webhook_deliveries')
      .values({ org_id: orgId, endpoint_id: id, ...message })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { webhooks: id, 'webhook-deliveries': delivery.id };
  },
  requests: {
    'PATCH /api/v1/webhooks/{id}': { body: { description: 'Another one' }, headers: { 'if-match': '*' } },
  },
  states: {
    'POST /api/v1/webhook-deliveries/{id}/replay': async ({ orgId, database: { db } }) => {
      await db
        .updateTable('webhook_deliveries')
        .set({ status: 'dead', due_at: null })
        .where('org_id', '=', orgId)
        .execute();
      return {};
    },
  },
  tables: { '/api/v1/webhooks': 'webhook_endpoints' },
};
