import { hash } from 'node:crypto';
import type { HistoryQueries } from '../load/history.ts';
import { JSON_TYPE, type PlannedRequest, type StepContext, type Steps } from '../load/step.ts';

export const SESSION_STEPS: Steps = {
  'POST /api/v1/sessions': { needs: 'password', request: signIn },
  'DELETE /api/v1/sessions/current': { needs: 'password', request: signOut },
  'POST /api/v1/registrations': { needs: 'viewer', request: askToRegister },
};

/** A session that was given is there, and one that was ended is gone; a registration waits for its link to be used. */
export const SESSION_HISTORY: HistoryQueries = {
  'sign-in': [
    `select 'lost' as what, format('session of %s', given.email) as sample
     from jsonb_to_recordset($1::jsonb) as given (email text, "tokenHash" text)
     left join sessions s on s.token_hash = decode(given."tokenHash", 'hex')
     where s.token_hash is null`,
  ],
  'sign-out': [
    `select 'lost' as what, format('end of a session of %s', given.email) as sample
     from jsonb_to_recordset($1::jsonb) as given (email text, "tokenHash" text)
     join sessions s on s.token_hash = decode(given."tokenHash", 'hex')`,
  ],
  registration: [
    `select 'lost' as what, format('registration of %s', given.email) as sample
     from jsonb_to_recordset($1::jsonb) as given (email text)
     left join registrations r on r.email = given.email
     where r.id is null`,
  ],
};

const TO_END = 'sessions to end';

function signIn({ client }: StepContext): PlannedRequest {
  const { email } = client;
  return {
    ...signInRequest(client),
    acknowledged: ({ json }) => [{ kind: 'sign-in', email, tokenHash: hashOf(tokenOf(json)) }],
  };
}

/** Ends a session of an earlier sign-in, never the one that the others use. */
function signOut({ client }: StepContext): PlannedRequest {
  const kept = client.kept<string>(TO_END);
  const token = kept.take();
  if (token === undefined) return { ...signInRequest(client), remember: ({ json }) => kept.add(tokenOf(json)) };
  return {
    route: 'DELETE /api/v1/sessions/current',
    method: 'DELETE',
    path: '/api/v1/sessions/current',
    headers: { authorization: `Bearer ${token}` },
    expect: [204],
    check: { name: 'empty' },
    acknowledged: () => [{ kind: 'sign-out', email: client.email, tokenHash: hashOf(token) }],
  };
}

function signInRequest({ email, password, orgId }: StepContext['client']): PlannedRequest {
  return {
    route: 'POST /api/v1/sessions',
    method: 'POST',
    path: '/api/v1/sessions',
    headers: JSON_TYPE,
    body: JSON.stringify({ email, password }),
    expect: [201],
    check: { name: 'me', args: { fields: { email }, orgId } },
  };
}

/** A few a minute per address are let in; the others are told 429, which counts as refused. */
function askToRegister({ unique }: StepContext): PlannedRequest {
  const email = `owner@load-${unique()}.test`;
  return {
    route: 'POST /api/v1/registrations',
    method: 'POST',
    path: '/api/v1/registrations',
    headers: JSON_TYPE,
    body: JSON.stringify({ email }),
    expect: [202],
    check: { name: 'registration', args: { fields: { email } } },
    acknowledged: () => [{ kind: 'registration', email }],
  };
}

const tokenOf = (json: unknown) => (json as { token: string }).token;
/** As the product stores it. */
const hashOf = (token: string) => hash('sha256', token, 'hex');
