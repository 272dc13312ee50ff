import { JSON_TYPE, type PlannedRequest, type StepContext, type Steps } from './step.ts';

export const SESSION_STEPS: Steps = {
  'POST /api/sessions': { needs: 'password', request: signIn },
  'DELETE /api/sessions/current': { needs: 'password', request: signOut },
  'POST /api/registrations': { needs: 'viewer', request: register },
};

function signIn({ client }: StepContext): PlannedRequest {
  const { email, password, orgId } = client;
  return {
    route: 'POST /api/sessions',
    method: 'POST',
    path: '/api/sessions',
    headers: JSON_TYPE,
    body: JSON.stringify({ email, password }),
    expect: [201],
    check: { name: 'me', args: { fields: { email }, orgId } },
    remember: ({ json }) => client.tokens.add((json as { token: string }).token),
  };
}

/** Ends a session of an earlier sign-in, never the one that the others use. */
function signOut(context: StepContext): PlannedRequest {
  const token = context.client.tokens.take();
  if (token === undefined) return signIn(context);
  return {
    route: 'DELETE /api/sessions/current',
    method: 'DELETE',
    path: '/api/sessions/current',
    headers: { authorization: `Bearer ${token}` },
    expect: [204],
    check: { name: 'empty' },
  };
}

/** A few a minute per address are let in; the others are told 429, which counts as refused. */
function register({ unique }: StepContext): PlannedRequest {
  const name = unique();
  const email = `owner@load-${name}.test`;
  return {
    route: 'POST /api/registrations',
    method: 'POST',
    path: '/api/registrations',
    headers: JSON_TYPE,
    body: JSON.stringify({ organisation: `Load ${name}`, name: 'Load Owner', email, password: 'tardigrade-owner' }),
    expect: [201],
    check: { name: 'me', args: { fields: { email } } },
  };
}
