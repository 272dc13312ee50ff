import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ orgId, database, mark, ids }) {
    const conversation = await database.db
      .insertInto('conversations')
      .values({
        org_id: orgId,
        campaign_id: ids['campaigns'] as number,
        employee_id: ids['staying'] as number,
        team_id: ids['teams'] as number,
        reach_out_id: ids['reachOuts'] as number,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await database.db
      .insertInto('messages')
      .values(
        (['bot', 'employee'] as const).map((sender, nth) => ({
          org_id: orgId,
          conversation_id: conversation.id,
          seq: nth + 1,
          sender,
          body: `Fine ${mark}`,
        })),
      )
      .execute();
    return { conversations: conversation.id };
  },
  unaudited: {
    'POST /api/v1/conversations/{id}/ticket': 'it writes nothing; what is said with the ticket is an entry',
  },
  filters: ({ campaigns }) => [`/api/v1/conversations?campaignId=${campaigns}`],
};
