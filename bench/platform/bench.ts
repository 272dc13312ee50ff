/** The platform's own part of the bench: what every service has, whatever its modules are. */
import { type Check, checkPage, type Row } from '../load/checks.ts';
import type { Tell } from '../load/plan.ts';
import { goLast } from '../load/scheduling.ts';
import { get, read } from '../load/step.ts';
import type { ModuleBench } from '../module-bench.ts';
import { ACCOUNT_HISTORY, ACCOUNT_STEPS } from './account-steps.ts';
import { runAttack } from './attack.ts';
import { ATTACK, type AttackPlan } from './attack-plan.ts';
import { SESSION_HISTORY, SESSION_STEPS } from './session-steps.ts';
import { SUPPRESSION_STEPS } from './suppression-steps.ts';
import { checkWebhookSecret, WEBHOOK_STEPS } from './webhook-steps.ts';

const checkMe: Check = ({ json }, { fields, orgId }) => {
  const { user, organisation } = json as { user: Row; organisation: Row };
  const email = fields?.['email'];
  if (email !== undefined && user.email !== email) return `${user.email} where ${email} asked`;
  if (orgId !== undefined && organisation.id !== orgId) return `organisation ${organisation.id} where ${orgId} asked`;
  return undefined;
};

const checkRegistration: Check = ({ json }, { fields }) => {
  const { email } = json as { email: string };
  return email === fields?.['email'] ? undefined : `a mail to ${email} where ${fields?.['email']} asked`;
};

const checkSessions: Check = ({ json }) => {
  const { sessions } = json as { sessions: { current: boolean }[] };
  return sessions.length > 0 ? undefined : 'no session, where this one is one';
};

const checkSignInOptions: Check = ({ json }) =>
  (json as { oidc: unknown }).oidc === false ? undefined : 'a provider that nobody has configured';

const checkSecondFactor: Check = ({ json }) =>
  (json as { since: unknown }).since === null ? undefined : 'a second factor that nobody has set up';

const checkAuditActions: Check = ({ json }) =>
  (json as { actions: { action: string }[] }).actions.some(({ action }) => action === 'member.removed')
    ? undefined
    : 'not the actions of the log';

/** Newest first by time: an entry has its transaction's, and transactions that overlap take their ids in any order. */
const checkAuditLog: Check = (answer, { order: _, ...args }, owners) => {
  const wrong = checkPage(answer, args, owners);
  if (wrong !== undefined) return wrong;
  const { items } = answer.json as { items: { id: number; at: string }[] };
  for (const [index, { id, at }] of items.entries()) {
    const before = items[index - 1];
    if (before === undefined) continue;
    const [time, timeBefore] = [sortable(at), sortable(before.at)];
    const later = time > timeBefore || (time === timeBefore && id >= before.id);
    if (later) return `entry ${id} of ${at} comes after ${before.id} of ${before.at}`;
  }
  return undefined;
};

/** PostgreSQL leaves out zeros at the end: `20.3Z` is before `20.323Z`, and comes after it as a text. */
function sortable(at: string): string {
  return at.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(6, '0')}Z`);
}

const checkOperations: Check = ({ json }) => {
  const { processes, database } = json as { processes: unknown[]; database: { connections: number } };
  if (processes.length === 0) return 'no process reports';
  return database.connections > 0 ? undefined : 'no connections to the database';
};

const LISTED_ALL_DAY = new Set(['GET /api/v1/users', 'GET /api/v1/sessions', 'GET /api/v1/audit-log']);
/** Each in its turn. */
const RARE_ACCOUNT_STEPS = Object.keys(ACCOUNT_STEPS).filter((step) => !LISTED_ALL_DAY.has(step));

export const bench: ModuleBench = {
  steps: {
    'GET /api/v1/me': read('GET /api/v1/me', 'me', ({ email, orgId }) => ({ fields: { email }, orgId })),
    'GET /api/v1/summary': read('GET /api/v1/summary', 'summary'),
    'GET /api/v1/operations': { ...read('GET /api/v1/operations', 'operations'), needs: 'operator' },
    'GET /docs/openapi.json': {
      needs: 'viewer',
      request: () => ({
        ...get('GET /docs/openapi.json', '/docs/openapi.json', {}),
        check: { name: 'text', args: { text: '"/api/v1/me"' } },
      }),
    },
    ...SESSION_STEPS,
    ...SUPPRESSION_STEPS,
    ...WEBHOOK_STEPS,
    ...ACCOUNT_STEPS,
  },
  officeDay: {
    'GET /api/v1/me': 12,
    'GET /api/v1/summary': 14,
    'GET /api/v1/operations': 2,
    'GET /api/v1/users': 1,
    'GET /api/v1/sessions': 1,
    'GET /api/v1/audit-log': 2,
    'GET /api/v1/suppressions': 1,
  },
  rare: {
    ...Object.fromEntries([...RARE_ACCOUNT_STEPS, ...Object.keys(WEBHOOK_STEPS)].map((step) => [step, 1])),
    'POST /api/v1/sessions': 4,
    'DELETE /api/v1/sessions/current': 3,
    'POST /api/v1/registrations': 1,
    'GET /docs/openapi.json': 1,
    'POST /api/v1/suppressions': 1,
    'POST /api/v1/suppressions/{id}/lift': 1,
    'POST /api/v1/mail-events': 1,
  },
  checks: {
    me: checkMe,
    registration: checkRegistration,
    auditLog: checkAuditLog,
    auditActions: checkAuditActions,
    operations: checkOperations,
    sessions: checkSessions,
    secondFactor: checkSecondFactor,
    signInOptions: checkSignInOptions,
    webhookSecret: checkWebhookSecret,
  },
  generators: {
    [ATTACK]: {
      givesWay: true,
      run(plan: AttackPlan, tell: Tell, signal: AbortSignal) {
        goLast();
        return runAttack(plan, tell, signal);
      },
    },
  },
  history: { ...SESSION_HISTORY, ...ACCOUNT_HISTORY },
  growing: { 'GET /api/v1/summary': 'time', 'GET /api/v1/audit-log': 'time' },
  capacity: { route: 'GET /api/v1/me', path: '/api/v1/me' },
  alongside: () => import('./alongside.ts'),
  counted: () => import('./counted.ts'),
  plantedFaults: async () => ({ plantedFaults: [(await import('../planted-faults/leak.ts')).leak] }),
};
