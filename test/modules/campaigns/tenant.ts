import { sql } from 'kysely';
import type { Organisation, Request, Tenant } from '../../scenarios/tenant.ts';

const SCHEDULE = { cron: '0 9 * * 1' };

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
    'PATCH /api/v1/campaigns/{id}': { body: { name: 'Ours now' }, headers: { 'if-match': '"1"' } },
    'POST /api/v1/campaigns/{id}/retry': { body: {} },
    'POST /api/v1/campaigns/{id}/schedule': { body: SCHEDULE },
  },
  unaudited: {
    'POST /api/v1/campaigns/preview': 'it writes nothing',
    'POST /api/v1/campaigns/schedule-preview': 'it writes nothing',
  },
  states: {
    'PATCH /api/v1/campaigns/{id}': async (party) => ({
      ...(await putInto(party, 'draft')),
      ...{ body: { name: 'Ours now' }, headers: { 'if-match': '*' } },
    }),
    'POST /api/v1/campaigns/{id}/launch': (party) => putInto(party, 'draft'),
    'POST /api/v1/campaigns/{id}/schedule': async (party) => ({ ...(await putInto(party, 'draft')), body: SCHEDULE }),
    'POST /api/v1/campaigns/{id}/cancel': (party) => putInto(party, 'sending'),
    'POST /api/v1/campaigns/{id}/pause': (party) => putInto(party, 'sending'),
    'POST /api/v1/campaigns/{id}/resume': (party) => putInto(party, 'paused'),
    'POST /api/v1/campaigns/{id}/retry': async (party) => {
      const { orgId, database } = party;
      await sql`update reach_outs set status = 'failed', cause = 'mail' where org_id = ${orgId}`.execute(database.db);
      return { ...(await putInto(party, 'done')), body: {} };
    },
  },
};

async function putInto({ orgId, database }: Organisation, status: string): Promise<Request> {
  await sql`update campaigns set status = ${status}, link_expires_at = now() + interval '1 day'
    where org_id = ${orgId}`.execute(database.db);
  return {};
}
