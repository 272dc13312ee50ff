/** What people do with their account, now and then: members, keys, sessions, links, the audit log. */
import type { HistoryQueries } from '../load/history.ts';
import { type List, listStep } from '../load/list-steps.ts';
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
} from '../load/step.ts';

const USERS: List = { route: 'GET /api/v1/users', order: 'asc', kind: 'users' };
const INVITATIONS: List = { route: 'GET /api/v1/invitations', order: 'desc', kind: 'invitations' };
const API_KEYS: List = { route: 'GET /api/v1/api-keys', order: 'desc', kind: 'api keys' };
const AUDIT_LOG: List = { route: 'GET /api/v1/audit-log', order: 'desc', kind: 'audit entries', check: 'auditLog' };

export const ACCOUNT_STEPS: Steps = {
  'GET /api/v1/users': listStep(USERS),
  'GET /api/v1/invitations': { ...listStep(INVITATIONS), needs: 'admin' },
  'GET /api/v1/api-keys': { ...listStep(API_KEYS), needs: 'admin' },
  'GET /api/v1/sessions': read('GET /api/v1/sessions', 'sessions'),
  'GET /api/v1/audit-log': { ...listStep(AUDIT_LOG), needs: 'admin' },
  'GET /api/v1/audit-log/actions': { ...read('GET /api/v1/audit-log/actions', 'auditActions'), needs: 'admin' },
  'GET /api/v1/exports/audit-log.csv': { needs: 'admin', request: exportLog },
  'POST /api/v1/invitations': { needs: 'admin', request: invite },
  'DELETE /api/v1/invitations/{id}': { needs: 'admin', request: withdraw },
  'POST /api/v1/api-keys': { needs: 'admin', request: createKey },
  'DELETE /api/v1/api-keys/{id}': { needs: 'admin', request: revokeKey },
  'GET /api/v1/users/{id}': { needs: 'viewer', request: readStranger },
  'PATCH /api/v1/users/{id}': { needs: 'admin', request: (context) => ofStranger(context, 'PATCH') },
  'DELETE /api/v1/users/{id}': { needs: 'admin', request: (context) => ofStranger(context, 'DELETE') },
  'DELETE /api/v1/sessions/{id}': { needs: 'viewer', request: endStrangeSession },
  'DELETE /api/v1/sessions/others': { needs: 'password', request: endOthers },
  'PUT /api/v1/password': { needs: 'password', request: mistype },
  'POST /api/v1/password-resets': { needs: 'viewer', request: forget },
  'POST /api/v1/password-resets/confirmations': linkStep('/api/v1/password-resets/confirmations', {
    password: 'four rather louder words',
  }),
  'POST /api/v1/registrations/preview': linkStep('/api/v1/registrations/preview', {}),
  'POST /api/v1/registrations/confirmations': linkStep('/api/v1/registrations/confirmations', {
    organisation: 'Nobody Ltd',
    name: 'Nobody',
    password: 'four rather louder words',
  }),
  'GET /api/v1/sign-in-options': read('GET /api/v1/sign-in-options', 'signInOptions'),
  'GET /api/v1/second-factor': read('GET /api/v1/second-factor', 'secondFactor'),
  'POST /api/v1/second-factor': { needs: 'password', request: ({ client }) => withWrongPassword(client, '') },
  'POST /api/v1/second-factor/removal': {
    needs: 'password',
    request: ({ client }) => withWrongPassword(client, '/removal'),
  },
  'POST /api/v1/second-factor/confirmation': { needs: 'viewer', request: confirmNothing },
  'POST /api/v1/sessions/second-factor': { needs: 'viewer', request: oldTicket },
  'POST /api/v1/invitations/preview': linkStep('/api/v1/invitations/preview', {}),
  'POST /api/v1/memberships': linkStep('/api/v1/memberships', { name: 'Nobody', password: 'four rather louder words' }),
};

/** What was acknowledged is there, with its entry in the audit log. */
export const ACCOUNT_HISTORY: HistoryQueries = {
  'api-key': [
    `select 'lost' as what, format('key %s', given.prefix) as sample
     from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, id bigint, prefix text)
     left join audit_log a on a.org_id = given."orgId" and a.action = 'api-key.created' and a.subject like '%' || given.prefix || '%'
     where a.id is null`,
  ],
};

/** An id that no organisation has: what would be changed is left alone, for others ask for it. */
const NOBODY = 999_999_999;
const KEYS = 'keys to revoke';
const OPEN = 'invitations to withdraw';

function exportLog({ client }: StepContext): PlannedRequest {
  const day = new Date().toISOString().slice(0, 10);
  return {
    ...get(
      'GET /api/v1/exports/audit-log.csv',
      `/api/v1/exports/audit-log.csv?from=${day}&action=nothing.happened`,
      authorized(client),
    ),
    check: { name: 'text', args: { text: 'at,actor,actor id' } },
  };
}

function invite({ client, unique }: StepContext): PlannedRequest {
  const email = `invited-${unique()}@load.test`;
  return {
    ...write(client, 'POST /api/v1/invitations', '/api/v1/invitations', { email, role: 'viewer' }),
    expect: [201],
    check: { name: 'created', args: { fields: { email, role: 'viewer' }, kind: 'invitations', orgId: client.orgId } },
    remember: ({ json }) => client.kept<number>(OPEN).add(idOf(json)),
  };
}

function withdraw(context: StepContext): PlannedRequest {
  const { client } = context;
  const id = client.kept<number>(OPEN).take();
  if (id === undefined) return invite(context);
  return {
    ...write(client, 'DELETE /api/v1/invitations/{id}', `/api/v1/invitations/${id}`),
    expect: [204],
    check: { name: 'empty' },
  };
}

function createKey({ client, unique }: StepContext): PlannedRequest {
  const name = `load ${unique()}`;
  const { orgId } = client;
  return {
    ...write(client, 'POST /api/v1/api-keys', '/api/v1/api-keys', { name, scope: 'read', expiresInDays: 1 }),
    expect: [201],
    check: { name: 'created', args: { fields: { name, scope: 'read' }, kind: 'api keys', orgId } },
    remember: ({ json }) => client.kept<number>(KEYS).add(idOf(json)),
    acknowledged: ({ json }) => [
      { kind: 'api-key', orgId, ...(json as { id: number; prefix: string }), key: undefined },
    ],
  };
}

function revokeKey(context: StepContext): PlannedRequest {
  const { client } = context;
  const id = client.kept<number>(KEYS).take();
  if (id === undefined) return createKey(context);
  return {
    ...write(client, 'DELETE /api/v1/api-keys/{id}', `/api/v1/api-keys/${id}`),
    expect: [204],
    check: { name: 'empty' },
  };
}

function readStranger({ client }: StepContext): PlannedRequest {
  return { ...get('GET /api/v1/users/{id}', `/api/v1/users/${NOBODY}`, authorized(client)), expect: [404] };
}

function ofStranger({ client }: StepContext, method: 'PATCH' | 'DELETE'): PlannedRequest {
  const body = method === 'PATCH' ? { role: 'viewer' } : undefined;
  return {
    ...write(client, `${method} /api/v1/users/{id}`, `/api/v1/users/${NOBODY}`, body),
    headers: authorized(client, body && { ...JSON_TYPE, 'if-match': '"viewer"' }),
    expect: [404],
  };
}

function endStrangeSession({ client }: StepContext): PlannedRequest {
  return { ...write(client, 'DELETE /api/v1/sessions/{id}', `/api/v1/sessions/${NOBODY}`), expect: [404] };
}

/** Without a session: with one, it would end those that the other steps use. */
function endOthers(): PlannedRequest {
  const route = 'DELETE /api/v1/sessions/others';
  return { route, method: 'DELETE', path: '/api/v1/sessions/others', headers: {}, expect: [401] };
}

/** The hash is the work, and a wrong password costs as much of it. */
function mistype({ client }: StepContext): PlannedRequest {
  const body = { current: 'not the password', password: 'four rather louder words' };
  return { ...write(client, 'PUT /api/v1/password', '/api/v1/password', body), expect: [403] };
}

/** With the right one, the account's next sign-in would need a code. */
function withWrongPassword(client: StepContext['client'], path: '' | '/removal'): PlannedRequest {
  const route = `POST /api/v1/second-factor${path}`;
  const given = { password: 'not the password', ...(path === '/removal' ? { code: '000000' } : {}) };
  return { ...write(client, route, `/api/v1/second-factor${path}`, given), expect: [403] };
}

function confirmNothing({ client }: StepContext): PlannedRequest {
  const route = 'POST /api/v1/second-factor/confirmation';
  return { ...write(client, route, '/api/v1/second-factor/confirmation', { code: '000000' }), expect: [409] };
}

function oldTicket({ random }: StepContext): PlannedRequest {
  const ticket = `1.${random.below(1_000_000).toString(36)}.1.${'A'.repeat(43)}`;
  const path = '/api/v1/sessions/second-factor';
  const body = JSON.stringify({ ticket, code: '000000' });
  return { route: `POST ${path}`, method: 'POST', path, headers: JSON_TYPE, body, expect: [401] };
}

function forget({ unique }: StepContext): PlannedRequest {
  return {
    route: 'POST /api/v1/password-resets',
    method: 'POST',
    path: '/api/v1/password-resets',
    headers: JSON_TYPE,
    body: JSON.stringify({ email: `forgetful-${unique()}@load.test` }),
    expect: [204],
    check: { name: 'empty' },
  };
}

/** With a link that was never given out: only the mail has one that was. */
function linkStep(path: string, body: object): Steps[string] {
  return {
    needs: 'viewer',
    request: () => ({
      route: `POST ${path}`,
      method: 'POST',
      path,
      headers: JSON_TYPE,
      body: JSON.stringify({ token: '1.1.AAAAAAAAAAAAAAAAAAAAAA', ...body }),
      expect: [410],
    }),
  };
}
