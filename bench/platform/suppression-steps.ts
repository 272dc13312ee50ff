import { type List, listStep } from '../load/list-steps.ts';
import { idOf, JSON_TYPE, type PlannedRequest, type StepContext, type Steps, write } from '../load/step.ts';

const SUPPRESSIONS: List = { route: 'GET /api/suppressions', order: 'desc', kind: 'suppressions' };

export const SUPPRESSION_STEPS: Steps = {
  'GET /api/suppressions': listStep(SUPPRESSIONS),
  'POST /api/suppressions': { needs: 'admin', request: add },
  'POST /api/suppressions/{id}/lift': { needs: 'admin', request: lift },
  'POST /api/mail-events': { needs: 'viewer', request: reportUnsigned },
};

const TO_LIFT = 'suppressions to lift';

function add({ client, unique }: StepContext): PlannedRequest {
  const address = `load-${unique()}@suppressed.test`.toLowerCase();
  return {
    ...write(client, 'POST /api/suppressions', '/api/suppressions', { address }),
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
    ...write(client, 'POST /api/suppressions/{id}/lift', `/api/suppressions/${own.id}/lift`),
    check: { name: 'created', args: { id: own.id } },
  };
}

/** Nobody has given the product a secret, so it takes no events. */
function reportUnsigned(): PlannedRequest {
  return {
    route: 'POST /api/mail-events',
    method: 'POST',
    path: '/api/mail-events',
    headers: JSON_TYPE,
    body: JSON.stringify({ events: [{ type: 'bounce', reference: '<none@example.test>', permanent: true }] }),
    expect: [404],
  };
}
