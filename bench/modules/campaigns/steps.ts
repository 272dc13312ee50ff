import type { Client } from '../../load/client-memory.ts';
import { type List, listStep, PAGE_ROWS, pageOf, rowOf } from '../../load/list-steps.ts';
import type { FixedRequest } from '../../load/plan.ts';
import {
  authorized,
  get,
  idOf,
  JSON_TYPE,
  type PlannedRequest,
  read,
  type StepContext,
  type Steps,
  write,
} from '../../load/step.ts';

const CAMPAIGNS: List = { route: 'GET /api/v1/campaigns', order: 'desc', kind: 'campaigns' };

export const CAMPAIGN_STEPS: Steps = {
  'GET /api/v1/campaigns': listStep(CAMPAIGNS),
  'GET /api/v1/campaigns/defaults': read('GET /api/v1/campaigns/defaults', 'object'),
  'GET /api/v1/campaigns/{id}': { needs: 'viewer', request: (context) => ofCampaign(context, '') },
  'GET /api/v1/campaigns/{id}/preview': { needs: 'viewer', request: (context) => ofCampaign(context, '/preview') },
  'GET /api/v1/campaigns/{id}/reach-outs': {
    needs: 'viewer',
    request: (context) => ofCampaign(context, '/reach-outs'),
  },
  'GET /api/v1/campaigns/{id}/failures': { needs: 'viewer', request: (context) => ofCampaign(context, '/failures') },
  'GET /api/v1/campaigns/{id} (own write)': { needs: 'admin', request: readOwnWrite },
  'GET /api/v1/campaigns/{id} (of another organisation)': { needs: 'viewer', request: readForeign },
  'POST /api/v1/campaigns': { needs: 'admin', request: create },
  'POST /api/v1/campaigns/preview': { needs: 'viewer', request: preview },
  'PATCH /api/v1/campaigns/{id}': { needs: 'admin', request: change },
  'POST /api/v1/campaigns/{id}/launch': { needs: 'small', request: launch },
  'POST /api/v1/campaigns/{id}/schedule': { needs: 'admin', request: schedule },
  'POST /api/v1/campaigns/schedule-preview': { needs: 'admin', request: previewSchedule },
  'POST /api/v1/campaigns/{id}/cancel': { needs: 'admin', request: cancel },
  'POST /api/v1/campaigns/{id}/pause': { needs: 'admin', request: (context) => refused(context, 'pause') },
  'POST /api/v1/campaigns/{id}/resume': { needs: 'admin', request: (context) => refused(context, 'resume') },
  'POST /api/v1/campaigns/{id}/test': { needs: 'admin', request: (context) => refused(context, 'test') },
  'POST /api/v1/campaigns/{id}/retry': { needs: 'admin', request: (context) => refused(context, 'retry', {}) },
};

const CONTENT = {
  subject: 'How was your week, {{name}}?',
  body: 'Hello {{name}},\n\ntwo minutes for {{organisation}}: how are things?',
  questions: ['How was your week?', 'What went well?', 'What got in the way?'],
};

function ofCampaign(
  { client, random }: StepContext,
  part: '' | '/failures' | '/preview' | '/reach-outs',
): PlannedRequest {
  const kept = rowOf(client, CAMPAIGNS, random);
  if (kept === undefined) return pageOf(client, CAMPAIGNS);
  const query = part === '/reach-outs' ? `?limit=${PAGE_ROWS}` : '';
  const { orgId } = client;
  const checks: Record<string, FixedRequest['check']> = {
    '': { name: 'object', args: { id: kept.id, kind: 'campaigns', orgId } },
    '/failures': { name: 'text', args: { text: '"items"' } },
    '/preview': { name: 'text', args: { text: '"recipients"' } },
    '/reach-outs': { name: 'page', args: { limit: PAGE_ROWS, order: 'asc', kind: 'reach-outs', orgId } },
  };
  return {
    ...get(`GET /api/v1/campaigns/{id}${part}`, `/api/v1/campaigns/${kept.id}${part}${query}`, authorized(client)),
    check: checks[part],
  };
}

/** The promise of read-after: whoever wrote it sees it, however far behind the replica is. */
function readOwnWrite(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = draftsOf(client).at(draftsOf(client).size - 1);
  if (own === undefined) return create(context);
  return {
    ...get('GET /api/v1/campaigns/{id} (own write)', `/api/v1/campaigns/${own.id}`, authorized(client)),
    check: { name: 'object', args: { id: own.id, fields: { name: own.name } } },
  };
}

function readForeign({ client, owners }: StepContext): PlannedRequest {
  const foreign = owners.foreign('campaigns', client.orgId);
  if (foreign === undefined) return pageOf(client, CAMPAIGNS);
  return {
    ...get('GET /api/v1/campaigns/{id} (of another organisation)', `/api/v1/campaigns/${foreign}`, authorized(client)),
    expect: [404],
  };
}

function create({ client, unique }: StepContext): PlannedRequest {
  const name = `Load ${unique()}`;
  return {
    ...write(client, 'POST /api/v1/campaigns', '/api/v1/campaigns', { ...CONTENT, name }),
    expect: [201],
    check: {
      name: 'created',
      args: { fields: { name, status: 'draft', subject: CONTENT.subject }, kind: 'campaigns', orgId: client.orgId },
    },
    remember: ({ json }) => draftsOf(client).add({ id: idOf(json), name, version: 1 }),
    acknowledged: ({ json }) => [{ kind: 'campaign', orgId: client.orgId, id: idOf(json), name }],
  };
}

function preview({ client }: StepContext): PlannedRequest {
  const { subject, body } = CONTENT;
  return {
    ...write(client, 'POST /api/v1/campaigns/preview', '/api/v1/campaigns/preview', { subject, body }),
    check: { name: 'text', args: { text: 'two minutes for' } },
  };
}

/** A draft is taken out while it is being changed: nobody else here knows its version. */
function change(context: StepContext): PlannedRequest {
  const { client, unique } = context;
  const own = draftsOf(client).take();
  if (own === undefined) return create(context);
  const subject = `Changed ${unique()}`;
  return {
    ...write(client, 'PATCH /api/v1/campaigns/{id}', `/api/v1/campaigns/${own.id}`, { subject }),
    headers: authorized(client, { ...JSON_TYPE, 'if-match': `"${own.version}"` }),
    check: { name: 'created', args: { id: own.id, fields: { subject, name: own.name, version: own.version + 1 } } },
    remember: () => draftsOf(client).add({ ...own, version: own.version + 1 }),
  };
}

function launch(context: StepContext): PlannedRequest {
  const own = draftsOf(context.client).take();
  if (own === undefined) return create(context);
  const { client } = context;
  return {
    ...changed(client, own, 'launch', { status: 'sending' }),
    expect: [202],
  };
}

/** Far away, so that it costs nothing but the writing; cancelled by a later step, for an organisation has few places. */
const SCHEDULED_FOR = '2099-01-05T09:00:00.000Z';
const SCHEDULED_AT_ONCE = 10;

function schedule(context: StepContext): PlannedRequest {
  const { client } = context;
  if (scheduledOf(client).size >= SCHEDULED_AT_ONCE) return cancel(context);
  const own = draftsOf(client).take();
  if (own === undefined) return create(context);
  return {
    ...changed(client, own, 'schedule', { status: 'scheduled' }, { at: SCHEDULED_FOR }),
    remember: () => scheduledOf(client).add({ id: own.id, version: own.version + 1 }),
  };
}

/** Each hour of a year: the dearest schedule that is not refused. */
function previewSchedule({ client }: StepContext): PlannedRequest {
  const body = { cron: '0 * * * *', timeZone: 'America/New_York' };
  return {
    ...write(client, 'POST /api/v1/campaigns/schedule-preview', '/api/v1/campaigns/schedule-preview', body),
    check: { name: 'text', args: { text: '"next"' } },
  };
}

function cancel(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = scheduledOf(client).take() ?? draftsOf(client).take();
  if (own === undefined) return create(context);
  return changed(client, own, 'cancel', { status: 'cancelled' });
}

const NOBODYS_ID = 2 ** 40;

/** Of another organisation, so that it is refused: the campaigns that were launched are left to the mailer. */
function refused({ client, owners }: StepContext, verb: string, body?: object): PlannedRequest {
  // Until another organisation's campaign has been seen, one that does not exist is as unknown to this one.
  const foreign = owners.foreign('campaigns', client.orgId) ?? NOBODYS_ID;
  return {
    ...write(client, `POST /api/v1/campaigns/{id}/${verb}`, `/api/v1/campaigns/${foreign}/${verb}`, body),
    expect: [404],
  };
}

/** As the dashboard does it: only with the version that was seen. */
function changed(client: Client, { id, version }: Seen, verb: string, fields: object, body?: object): PlannedRequest {
  return {
    ...write(client, `POST /api/v1/campaigns/{id}/${verb}`, `/api/v1/campaigns/${id}/${verb}`, body),
    headers: authorized(client, { ...(body && JSON_TYPE), 'if-match': `"${version}"` }),
    check: { name: 'created', args: { id, fields: { ...fields, version: version + 1 } } },
  };
}

interface Seen {
  readonly id: number;
  readonly version: number;
}

const draftsOf = (client: Client) => client.kept<Seen & { name: string }>('drafts');
const scheduledOf = (client: Client) => client.kept<Seen>('scheduled campaigns');
