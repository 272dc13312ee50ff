import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../src/db/schema.ts';
import { ERROR_STATUS, type ErrorCode } from '../../src/errors.ts';
import type { JsonSchema } from '../../src/http/api-example.ts';
import type { KeyScope } from '../../src/http/api-keys.ts';
import { BODY_BYTES_MAX, JSON_DEPTH_MAX } from '../../src/limits.ts';
import { type Answer, type ApiClient, call } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { type Case, cases, expectDocumented, jsonOf, type Problem } from './matrix-cases.ts';

/**
 * Every route against every caller and every kind of malformed request, from the document: a new route is in it. What
 * another organisation has is tried in test/scenarios/own-tenant.test.ts.
 */
const withBody = cases.filter(([, { operation }]) => jsonOf(operation) !== undefined);
const changing = cases.filter(([, { method }]) => method !== 'GET');
const withoutBody = changing.filter(([, { operation }]) => operation.requestBody === undefined);
/** What the state of a test's organisation may say to an example: the row, the link or the ticket in it is not there. */
const STATES = [
  'unauthenticated',
  'not_found',
  'conflict',
  'gone',
  'changed_meanwhile',
  'precondition_required',
  'rate_limited',
] satisfies ErrorCode[];
const RANK: Record<Role, number> = { viewer: 0, admin: 1, owner: 2 };

let api: RunningApi;
let orgId: number;
let operator: ApiClient;
let keys: Record<KeyScope, string>;
beforeAll(async () => {
  api = await runApi();
  orgId = (await api.newOwner()).orgId;
  operator = await api.operator();
  const owner = await api.newOwner(); // of an organisation of its own: the matrix removes users, and their keys with them
  keys = { read: await keyOf(owner, 'read'), write: await keyOf(owner, 'write') };
});
afterAll(() => api.stop());

test('the matrix has every route of the modules', () => {
  expect(cases.length).toBeGreaterThan(TEST_MODULES.length);
  expect(withBody.length).toBeGreaterThan(3);
  expect(withoutBody.length).toBeGreaterThan(3);
});

test.each(cases)('%s: nobody is served without a session, unless the route is open', async (_, one) => {
  const answer = await ask(one, undefined);
  expectDocumented(one, answer);
  if (isOpen(one)) expect(answer.status).not.toBe(403);
  else expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

test.each(cases)('%s: each role is served, or told what is needed', async (_, one) => {
  for (const role of ['viewer', 'admin', 'owner'] as const) {
    const answer = await ask(one, role);
    expectDocumented(one, answer);
    const needed = one.operation['x-role'] as Role | undefined;
    const isRefused = !isOpen(one) && needed !== undefined && RANK[role] < RANK[needed];
    if (isRefused || isForOperators(one))
      expect(answer, role).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    else expectServed(one, answer, role);
  }
});

test.each(cases.filter(([, one]) => isForOperators(one)))(
  '%s: somebody who runs the platform is served, whatever their role',
  async (_, one) => {
    const answer = await ask(one, undefined, { headers: { authorization: `Bearer ${operator.token}` } });
    expectDocumented(one, answer);
    expect(answer.status).toBe(200);
  },
);

test.each(cases)('%s: an API key is served within its scope, or told which scope is needed', async (_, one) => {
  for (const scope of ['read', 'write'] as const) {
    const answer = await ask(one, undefined, { headers: { authorization: `Bearer ${keys[scope]}` } });
    expectDocumented(one, answer, scope);
    const needed = one.operation['x-scope'];
    const detail =
      needed === 'none' ? 'An API key cannot do this' : `a key with the scope write; this one has the scope ${scope}`;
    const isRefused = !isOpen(one) && (needed === 'none' || (needed === 'write' && scope === 'read'));
    if (isRefused)
      expect(answer, scope).toMatchObject({
        status: 403,
        body: { code: 'forbidden', detail: expect.stringContaining(detail) },
      });
    else expectServed(one, answer, scope);
  }
});

test('what is refused besides the role and the scope is said in words', () => {
  const rules = cases.filter(([, { operation }]) => operation['x-forbids'] !== undefined);
  for (const [route, { operation }] of rules)
    expect(operation.description, route).toContain(`Refused with 403: ${operation['x-forbids']}.`);
  expect(rules.length).toBeGreaterThan(0);
});

test.each(withBody)(
  '%s: the example of the document is accepted, unless the state does not allow it',
  async (_, one) => {
    const answer = await ask(one, 'owner');
    const byRule = one.operation['x-forbids'] === undefined ? [] : [ERROR_STATUS.forbidden];
    const expected = [200, 201, 202, 204, ...STATES.map((code) => ERROR_STATUS[code]), ...byRule];
    expect(expected, JSON.stringify(answer.body)).toContain(answer.status);
  },
);

test.each([...withBody, ...withoutBody])('%s: bodies that are not what the route reads are refused', async (_, one) => {
  const good = (jsonOf(one.operation) ?? {}) as object;
  const json = { 'content-type': 'application/json' };
  const refusals: [string, number, string | Uint8Array, Record<string, string>?][] = [
    ['half of a JSON text', 400, '{"a": ', json],
    ['a list', 400, '[]', json],
    ['a number', 400, '1', json],
    ['too large', 413, JSON.stringify({ ...good, more: 'x'.repeat(BODY_BYTES_MAX) }), json],
    ['an unknown field', 400, JSON.stringify({ ...good, colour: 'red' }), json],
    ['a field of the prototype', 400, '{"__proto__": {"role": "owner"}}', json],
    ['deep', 400, `{"deep": ${'['.repeat(JSON_DEPTH_MAX + 1)}${']'.repeat(JSON_DEPTH_MAX + 1)}}`, json],
    ['another type', 415, '<a/>', { 'content-type': 'application/xml' }],
    ['another charset', 415, JSON.stringify(good), { 'content-type': 'application/json; charset=utf-16le' }],
    ['not UTF-8', 400, Buffer.from('{"a":"\xff"}', 'latin1'), json],
  ];
  for (const [what, status, body, headers] of refusals) {
    const answer = await ask(one, 'owner', { body, headers: headers ?? {} });
    expectDocumented(one, answer, what);
    expect(answer.status, `${what}: ${JSON.stringify(answer.body)}`).toBe(status);
  }
});

test.each(withBody)('%s: a value of another type is refused, not read as one of the right type', async (_, one) => {
  const good = jsonOf(one.operation) as object;
  const schema: JsonSchema = one.operation.requestBody?.content['application/json']?.schema ?? {};
  for (const [field, { type }] of Object.entries(schema.properties ?? {}))
    for (const value of [null, type === 'string' ? 1 : String(type === 'boolean' || 1)]) {
      const answer = await ask(one, 'owner', { body: { ...good, [field]: value } });
      expectDocumented(one, answer, field);
      expect(answer.status, `${field}: ${value}`).toBe(400);
    }
});

test.each(withBody)('%s: a NUL in any text is refused, wherever in the body it is', async (_, one) => {
  const good = jsonOf(one.operation);
  for (const [place, body] of withNul(good)) {
    const answer = await ask(one, 'owner', { body });
    expectDocumented(one, answer, place);
    expect(answer, place).toMatchObject({ status: 400, body: { code: 'invalid' } });
  }
});

test.each(changing)('%s: a query that the route does not read is refused, and changes nothing', async (_, one) => {
  const answer = await ask(one, 'owner', { query: '?dryRun=true' });
  expectDocumented(one, answer);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', detail: expect.stringContaining('query') } });
});

test.each(withoutBody)('%s: an empty object is no body', async (_, one) => {
  const headers = { 'content-type': 'application/json' };
  const [none, empty] = [await ask(one, 'owner'), await ask(one, 'owner', { body: '{}', headers })];
  expect(empty.status).not.toBe(400);
  expectDocumented(one, none);
  expectDocumented(one, empty);
});

test.each(cases.filter(([, { path }]) => path.includes('{')))(
  '%s: an id that is not valid is a 400',
  async (_, one) => {
    const written = ['0x1', '1e0', '1.0', '01', '%201', 'true'];
    for (const id of ['abc', '0', '-1', '1.5', '9'.repeat(30), '%00', '%F0%9F%90%BB', "1'--", ...written]) {
      const answer = await ask(one, 'owner', { id });
      expectDocumented(one, answer, id);
      expect(answer.status, id).toBe(400);
    }
  },
);

test.each(cases.filter(([, { method }]) => method === 'GET'))(
  '%s: a query that the route does not read is refused or ignored, HEAD answers as GET does, without a body',
  async (_, one) => {
    expectDocumented(one, await ask(one, 'owner', { query: '?limit=x&cursor=%00&__proto__=1&a[b]=c' }));
    const [got, head] = [await ask(one, 'owner'), await ask(one, 'owner', { method: 'HEAD' })];
    expect(head.status).toBe(got.status);
    expect(head.body).toBe('');
    expect(head.headers.get('content-type')).toBe(got.headers.get('content-type'));
  },
);

test.each(cases)('%s: OPTIONS is answered with a 404', async (_, one) => {
  expect(await ask(one, 'owner', { method: 'OPTIONS' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

interface Request {
  readonly method?: string;
  readonly id?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function keyOf(owner: ApiClient, scope: KeyScope): Promise<string> {
  const { body } = await owner.send<{ key: string }>('POST', '/api/v1/api-keys', { name: scope, scope });
  return body.key;
}

/** With a session of its own: some routes end the session, and some count what it does. */
async function ask(one: Case, role: Role | undefined, request: Request = {}): Promise<Answer<Problem>> {
  const { operation, path } = one;
  const method = request.method ?? one.method;
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = 'body' in request ? request.body : method === one.method ? media?.example : undefined;
  const token = role === undefined ? undefined : (await api.signedIn(orgId, role)).token;
  return call<Problem>(api.url, method, path.replace(/\{\w+\}/g, request.id ?? '1') + (request.query ?? ''), {
    body,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined || body === undefined ? {} : { 'content-type': type }),
      ...request.headers,
    },
  });
}

/** A 403 is then one that the document has words for. */
function expectServed({ operation }: Case, { status, body }: Answer<Problem>, by: string): void {
  const isByRule = operation['x-forbids'] !== undefined;
  if (!isByRule) expect(status, `${by}: ${JSON.stringify(body)}`).not.toBe(403);
}

function isOpen({ operation }: Case): boolean {
  return operation.security?.length === 0;
}

function isForOperators({ operation }: Case): boolean {
  return operation['x-operator'] === true;
}

/** The same value as often as there are texts in it, each time with a NUL in another one. */
function* withNul(value: unknown): Generator<[place: string, changed: unknown]> {
  if (typeof value === 'string') yield ['', `${value.slice(0, 1)}\0${value.slice(1)}`];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value))
    for (const [place, changed] of withNul(part)) {
      const copy = Object.assign(Array.isArray(value) ? [] : {}, value, { [name]: changed });
      yield [`/${name}${place}`, copy];
    }
}
