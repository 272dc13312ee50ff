import type { CheckArgs } from './checks.ts';
import type { Client } from './client-memory.ts';
import type { FixedRequest } from './plan.ts';
import { get, newestFirst } from './read-steps.ts';
import { authorized, JSON_TYPE, type PlannedRequest, type StepContext, type Steps } from './step.ts';

export const CAMPAIGN_STEPS: Steps = {
  'GET /api/campaigns/{id}': { needs: 'viewer', request: (context) => ofCampaign(context, '') },
  'GET /api/campaigns/{id}/preview': { needs: 'viewer', request: (context) => ofCampaign(context, '/preview') },
  'GET /api/campaigns/{id}/reach-outs': { needs: 'viewer', request: (context) => ofCampaign(context, '/reach-outs') },
  'GET /api/campaigns/{id} (own write)': { needs: 'admin', request: readOwnWrite },
  'GET /api/campaigns/{id} (of another organisation)': { needs: 'viewer', request: readForeign },
  'POST /api/campaigns': { needs: 'admin', request: create },
  'POST /api/campaigns/preview': { needs: 'viewer', request: preview },
  'PATCH /api/campaigns/{id}': { needs: 'admin', request: change },
  'POST /api/campaigns/{id}/launch': { needs: 'launch', request: launch },
  'POST /api/campaigns/{id}/schedule': { needs: 'admin', request: schedule },
  'POST /api/campaigns/{id}/cancel': { needs: 'admin', request: cancel },
};

const CONTENT = {
  subject: 'How was your week, {{name}}?',
  body: 'Hello {{name}},\n\ntwo minutes for {{organisation}}: how are things?',
  questions: ['How was your week?', 'What went well?', 'What got in the way?'],
};

function ofCampaign({ client, random }: StepContext, part: '' | '/preview' | '/reach-outs'): PlannedRequest {
  const kept = client.campaigns.at(random.below(client.campaigns.size));
  if (kept === undefined) return newestFirst(client, 'campaigns');
  const query = part === '/reach-outs' ? '?limit=50' : '';
  const { orgId } = client;
  const checks: Record<string, FixedRequest['check']> = {
    '': { name: 'object', args: { id: kept.id, kind: 'campaigns', orgId } },
    '/preview': { name: 'text', args: { text: '"recipients"' } },
    '/reach-outs': { name: 'page', args: { limit: 50, order: 'asc', kind: 'reach-outs', orgId } },
  };
  return {
    ...get(`GET /api/campaigns/{id}${part}`, `/api/campaigns/${kept.id}${part}${query}`, authorized(client)),
    check: checks[part],
  };
}

/** The promise of read-after: whoever wrote it sees it, however far behind the replica is. */
function readOwnWrite(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = client.drafts.at(client.drafts.size - 1);
  if (own === undefined) return create(context);
  return {
    ...get('GET /api/campaigns/{id} (own write)', `/api/campaigns/${own.id}`, authorized(client)),
    check: { name: 'object', args: { id: own.id, fields: { name: own.name } } },
  };
}

function readForeign({ client, owners }: StepContext): PlannedRequest {
  const foreign = owners.foreign('campaigns', client.orgId);
  if (foreign === undefined) return newestFirst(client, 'campaigns');
  return {
    ...get('GET /api/campaigns/{id} (of another organisation)', `/api/campaigns/${foreign}`, authorized(client)),
    expect: [404],
  };
}

function create({ client, unique }: StepContext): PlannedRequest {
  const name = `Load ${unique()}`;
  return {
    ...post(client, 'POST /api/campaigns', '/api/campaigns', { ...CONTENT, name }),
    expect: [201],
    check: {
      name: 'created',
      args: { fields: { name, status: 'draft', subject: CONTENT.subject }, kind: 'campaigns', orgId: client.orgId },
    },
    remember: ({ json }) => client.drafts.add({ id: idOf(json), name }),
    acknowledged: ({ json }) => [{ kind: 'campaign', orgId: client.orgId, id: idOf(json), name }],
  };
}

function preview({ client }: StepContext): PlannedRequest {
  const { subject, body } = CONTENT;
  return {
    ...post(client, 'POST /api/campaigns/preview', '/api/campaigns/preview', { subject, body }),
    check: { name: 'text', args: { text: 'two minutes for' } },
  };
}

function change(context: StepContext): PlannedRequest {
  const { client, unique } = context;
  const own = client.drafts.take();
  if (own === undefined) return create(context);
  const subject = `Changed ${unique()}`;
  return {
    ...post(client, 'PATCH /api/campaigns/{id}', `/api/campaigns/${own.id}`, { subject }),
    method: 'PATCH',
    check: { name: 'created', args: { id: own.id, fields: { subject, name: own.name } } },
    remember: () => client.drafts.add(own),
  };
}

function launch(context: StepContext): PlannedRequest {
  const own = context.client.drafts.take();
  if (own === undefined) return create(context);
  const { client } = context;
  return {
    ...changed(client, own.id, 'launch', { id: own.id, fields: { status: 'sending' } }),
    expect: [202],
    remember: () => client.launched.add({ id: own.id }),
  };
}

/** Far away, so that it costs nothing but the writing; cancelled by a later step, for an organisation has few places. */
const SCHEDULED_FOR = '2099-01-05T09:00:00.000Z';
const SCHEDULED_AT_ONCE = 10;

function schedule(context: StepContext): PlannedRequest {
  const { client } = context;
  if (client.scheduled.size >= SCHEDULED_AT_ONCE) return cancel(context);
  const own = client.drafts.take();
  if (own === undefined) return create(context);
  return {
    ...changed(client, own.id, 'schedule', { id: own.id, fields: { status: 'scheduled' } }, { at: SCHEDULED_FOR }),
    remember: () => client.scheduled.add({ id: own.id }),
  };
}

function cancel(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = client.scheduled.take() ?? client.drafts.take();
  if (own === undefined) return create(context);
  return changed(client, own.id, 'cancel', { id: own.id, fields: { status: 'cancelled' } });
}

function changed(client: Client, id: number, verb: string, args: CheckArgs, body: object = {}): PlannedRequest {
  return {
    ...post(client, `POST /api/campaigns/{id}/${verb}`, `/api/campaigns/${id}/${verb}`, body),
    check: { name: 'created', args },
  };
}

function post(client: Client, route: string, path: string, body: object): PlannedRequest {
  const hasBody = Object.keys(body).length > 0;
  return {
    route,
    method: 'POST',
    path,
    headers: authorized(client, hasBody ? JSON_TYPE : {}),
    ...(hasBody ? { body: JSON.stringify(body) } : {}),
    expect: [200],
  };
}

const idOf = (json: unknown) => (json as { id: number }).id;
