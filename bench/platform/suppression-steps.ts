import { type List, listStep } from '../load/list-steps.ts';
import { idOf, JSON_TYPE, type PlannedRequest, type StepContext, type Steps, write } from '../load/step.ts';

const SUPPRESSIONS: List = { route: 'GET /api/v1/suppressions', order: 'desc', kind: 'suppressions' };

export const SUPPRESSION_STEPS: Steps = {
  'GET /api/v1/suppressions': listStep(SUPPRESSIONS),
  'POST /api/v1/suppressions': { needs: 'admin', request: add },
  'POST /api/v1/suppressions/{id}/lift': { needs: 'admin', request: lift },
  'POST /api/v1/mail-events': { needs: 'viewer', request: reportUnsigned },
};

const TO_LIFT = 'suppressions to lift';

function add({ client, unique }: StepContext): PlannedRequest {
  const address = `load-${unique()}@suppressed.test`.toLowerCase();
  return {
    ...write(client, 'POST /api/v1/suppressions', '/api/v1/suppressions', { address }),
    expect: [201],
    check: {
      name: 'created',
      args: { fields: { address, liftedAt: null }, kind: 'suppressions', orgId: client.orgId },
    },
    remember: ({ json }) => client.kept<{ id: number }>(TO_LIFT).add({ id: idOf(json) }),
  };
}

function lift(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = client.kept<{ id: number }>(TO_LIFT).take();
  if (own === undefined) return add(context);
  return {
    ...write(client, 'POST /api/v1/suppressions/{id}/lift', `/api/v1/suppressions/${own.id}/lift`),
    check: { name: 'created', args: { id: own.id } },
  };
}

/** Nobody has given the product a secret, so it takes no events. */
function reportUnsigned(): PlannedRequest {
  return {
    route: 'POST /api/v1/mail-events',
    method: 'POST',
    path: '/api/v1/mail-events',
    headers: JSON_TYPE,
    body: JSON.stringify({ events: [{ type: 'bounce', reference: '<none@example.test>', permanent: true }] }),
    expect: [404],
  };
}
