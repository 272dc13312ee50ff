import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ orgId, client, database, mark, ids }) {
    const { body } = await client.send<{ id: number }>('POST', '/api/v1/campaigns', {
      name: `Campaign ${mark}`,
      subject: 'Hello',
      body: 'Hello {{name}}',
    });
    const reachOut = await database.db
      .insertInto('reach_outs')
      .values({
        org_id: orgId,
        campaign_id: body.id,
        employee_id: ids['staying'] as number,
        status: 'sent',
        due_at: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { campaigns: body.id, reachOuts: reachOut.id };
  },
  requests: {
    'PATCH /api/v1/campaigns/{id}': { body: { name: 'Ours now' } },
    'POST /api/v1/campaigns/{id}/retry': { body: {} },
    'POST /api/v1/campaigns/{id}/schedule': { body: { cron: '0 9 * * 1' } },
  },
};
