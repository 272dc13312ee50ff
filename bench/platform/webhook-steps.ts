/** Webhooks as people manage them. Their address leads nowhere, so what is sent to them fails, is retried and is held. */
import type { Check } from '../load/checks.ts';
import { authorized, get, idOf, type PlannedRequest, read, type StepContext, type Steps, write } from '../load/step.ts';

export const WEBHOOK_STEPS: Steps = {
  'GET /api/v1/webhooks': {
    needs: 'admin',
    request: ({ client }) => ({
      ...get('GET /api/v1/webhooks', '/api/v1/webhooks', authorized(client)),
      check: { name: 'page', args: { order: 'desc', kind: 'webhooks', orgId: client.orgId } },
      remember: ({ json }) => rememberLeftOver(client, json as { items: { id: number }[] }),
    }),
  },
  'GET /api/v1/webhook-event-types': {
    ...read('GET /api/v1/webhook-event-types', 'text', () => ({ text: 'member.joined' })),
    needs: 'admin',
  },
  'POST /api/v1/webhooks': { needs: 'admin', request: create },
  'GET /api/v1/webhooks/{id}': { needs: 'admin', request: readOne },
  'PATCH /api/v1/webhooks/{id}': { needs: 'admin', request: change },
  'POST /api/v1/webhooks/{id}/rotate-secret': { needs: 'admin', request: rotate },
  'POST /api/v1/webhooks/{id}/test': { needs: 'admin', request: sendTest },
  'GET /api/v1/webhooks/{id}/deliveries': { needs: 'admin', request: listDeliveries },
  'POST /api/v1/webhooks/{id}/replay': { needs: 'admin', request: replayAll },
  'POST /api/v1/webhook-deliveries/{id}/replay': { needs: 'admin', request: replayOne },
  'DELETE /api/v1/webhooks/{id}': { needs: 'admin', request: remove },
};

/** Shown once, so that an answer without it is wrong. */
export const checkWebhookSecret: Check = ({ json }, { id }) => {
  const webhook = json as { id: number; secret: string };
  if (id !== undefined && webhook.id !== id) return `webhook ${webhook.id} where ${id} was asked for`;
  return /^whsec_[\w+/]{43}=$/.test(webhook.secret) ? undefined : 'no secret';
};

const OWN = 'webhooks of its own';
/** An organisation has twenty, and several accounts make them. One is always left, for the other steps. */
const KEPT = { min: 1, max: 2 };

/** Made by an earlier scenario, whose memory is gone: those of this one are newer, and fewer than ten. */
const LEFT_OVER = 'webhooks that were left over';
const NEWEST = 10;

function rememberLeftOver({ kept }: StepContext['client'], { items }: { items: { id: number }[] }): void {
  for (const { id } of items.slice(NEWEST)) kept<number>(LEFT_OVER).add(id);
}

function create(context: StepContext): PlannedRequest {
  const { client, unique } = context;
  const own = client.kept<number>(OWN);
  if (own.size >= KEPT.max) return remove(context);
  const body = { url: `https://hooks.load.test/${unique()}`, eventTypes: ['member.joined'] };
  return {
    ...write(client, 'POST /api/v1/webhooks', '/api/v1/webhooks', body),
    expect: [201, 409],
    remember: ({ status, json }) => (status === 201 ? own.add(idOf(json)) : undefined),
  };
}

/** Always one of its own: others are changed and deleted by those who made them. */
function ofOwn(context: StepContext, request: (id: number) => PlannedRequest): PlannedRequest {
  const id = context.client.kept<number>(OWN).at(0);
  return id === undefined ? create(context) : request(id);
}

function readOne(context: StepContext): PlannedRequest {
  const { client } = context;
  return ofOwn(context, (id) => ({
    ...get('GET /api/v1/webhooks/{id}', `/api/v1/webhooks/${id}`, authorized(client)),
    check: { name: 'object', args: { id } },
  }));
}

function change(context: StepContext): PlannedRequest {
  const route = 'PATCH /api/v1/webhooks/{id}';
  return ofOwn(context, (id) => {
    const changed = write(context.client, route, `/api/v1/webhooks/${id}`, { description: 'Changed' });
    // Its version is not kept: a second change is refused.
    return { ...changed, headers: { ...changed.headers, 'if-match': '"1"' }, expect: [200, 412] };
  });
}

function rotate(context: StepContext): PlannedRequest {
  const route = 'POST /api/v1/webhooks/{id}/rotate-secret';
  return ofOwn(context, (id) => ({
    ...write(context.client, route, `/api/v1/webhooks/${id}/rotate-secret`),
    check: { name: 'webhookSecret', args: { id } },
  }));
}

const DELIVERIES = 'deliveries of its own webhooks';

function sendTest(context: StepContext): PlannedRequest {
  const { client } = context;
  return ofOwn(context, (id) => ({
    ...write(client, 'POST /api/v1/webhooks/{id}/test', `/api/v1/webhooks/${id}/test`),
    expect: [202],
    check: {
      name: 'created',
      args: { fields: { endpointId: id, eventType: 'webhook.test' }, kind: 'webhook deliveries', orgId: client.orgId },
    },
    remember: ({ json }) =>
      client.kept<{ id: number; endpointId: number }>(DELIVERIES).add({ id: idOf(json), endpointId: id }),
  }));
}

function listDeliveries(context: StepContext): PlannedRequest {
  const { client } = context;
  return ofOwn(context, (id) => ({
    ...get('GET /api/v1/webhooks/{id}/deliveries', `/api/v1/webhooks/${id}/deliveries?limit=50`, authorized(client)),
    check: { name: 'page', args: { limit: 50, order: 'desc', kind: 'webhook deliveries', orgId: client.orgId } },
  }));
}

function replayAll(context: StepContext): PlannedRequest {
  return ofOwn(context, (id) =>
    write(context.client, 'POST /api/v1/webhooks/{id}/replay', `/api/v1/webhooks/${id}/replay`),
  );
}

function replayOne({ client }: StepContext): PlannedRequest {
  const route = 'POST /api/v1/webhook-deliveries/{id}/replay';
  const own = client.kept<number>(OWN).at(0);
  const sent = client.kept<{ id: number; endpointId: number }>(DELIVERIES);
  let delivery = sent.take();
  while (delivery !== undefined && delivery.endpointId !== own) delivery = sent.take();
  if (delivery === undefined)
    return { ...write(client, route, `/api/v1/webhook-deliveries/${NOBODYS}/replay`), expect: [404] };
  const { id } = delivery;
  return {
    ...write(client, route, `/api/v1/webhook-deliveries/${id}/replay`),
    check: { name: 'object', args: { id } },
  };
}

const NOBODYS = 999_999_999;

function remove(context: StepContext): PlannedRequest {
  const { client } = context;
  const route = 'DELETE /api/v1/webhooks/{id}';
  const left = client.kept<number>(LEFT_OVER).take();
  // Another account may have removed it.
  if (left !== undefined) return { ...write(client, route, `/api/v1/webhooks/${left}`), expect: [204, 404] };
  const own = client.kept<number>(OWN);
  if (own.size <= KEPT.min) return create(context);
  return { ...write(client, route, `/api/v1/webhooks/${own.take()}`), expect: [204], check: { name: 'empty' } };
}
