/** The platform's own part of the bench: what every service has, whatever its modules are. */
import type { Check, Row } from '../load/checks.ts';
import { get, read } from '../load/step.ts';
import type { ModuleBench } from '../module-bench.ts';
import { SESSION_HISTORY, SESSION_STEPS } from './session-steps.ts';
import { SUPPRESSION_STEPS } from './suppression-steps.ts';

const checkMe: Check = ({ json }, { fields, orgId }) => {
  const { user, organisation } = json as { user: Row; organisation: Row };
  const email = fields?.['email'];
  if (email !== undefined && user.email !== email) return `${user.email} where ${email} asked`;
  if (orgId !== undefined && organisation.id !== orgId) return `organisation ${organisation.id} where ${orgId} asked`;
  return undefined;
};

const checkOperations: Check = ({ json }) => {
  const { processes, database } = json as { processes: unknown[]; database: { connections: number } };
  if (processes.length === 0) return 'no process reports';
  return database.connections > 0 ? undefined : 'no connections to the database';
};

export const bench: ModuleBench = {
  steps: {
    'GET /api/me': read('GET /api/me', 'me', ({ email, orgId }) => ({ fields: { email }, orgId })),
    'GET /api/summary': read('GET /api/summary', 'summary'),
    'GET /api/operations': { ...read('GET /api/operations', 'operations'), needs: 'admin' },
    'GET /docs/openapi.json': {
      needs: 'viewer',
      request: () => ({
        ...get('GET /docs/openapi.json', '/docs/openapi.json', {}),
        check: { name: 'text', args: { text: '"/api/me"' } },
      }),
    },
    ...SESSION_STEPS,
    ...SUPPRESSION_STEPS,
  },
  officeDay: { 'GET /api/me': 12, 'GET /api/summary': 14, 'GET /api/operations': 2, 'GET /api/suppressions': 1 },
  rare: {
    'POST /api/sessions': 4,
    'DELETE /api/sessions/current': 3,
    'POST /api/registrations': 1,
    'GET /docs/openapi.json': 1,
    'POST /api/suppressions': 1,
    'POST /api/suppressions/{id}/lift': 1,
    'POST /api/mail-events': 1,
  },
  checks: { me: checkMe, operations: checkOperations },
  history: SESSION_HISTORY,
  growing: { 'GET /api/summary': 'time' },
  capacity: { route: 'GET /api/me', path: '/api/me' },
  alongside: () => import('./alongside.ts'),
  counted: () => import('./counted.ts'),
  plantedFaults: async () => ({ plantedFaults: [(await import('../planted-faults/leak.ts')).leak] }),
};
