import { expect, test } from 'vitest';
import { createOwners } from '../../../bench/load/checks.ts';
import type { OpenLoopPlan } from '../../../bench/load/plan.ts';
import { createRandom } from '../../../bench/load/random.ts';
import { askableBy, createRequests } from '../../../bench/load/requests.ts';
import { workload } from '../made-up-module.ts';

const ACCOUNT = {
  token: 'x',
  orgId: 1,
  email: 'owner@a.test',
  role: 'owner',
  domain: 'a.test',
  isSmall: true,
  password: 'secret',
} as const;

function requestsFor(mix: Record<string, number>, plan: Partial<OpenLoopPlan> = {}) {
  const whole: OpenLoopPlan = {
    kind: 'open-loop',
    url: '',
    phases: [],
    arrivals: 'constant',
    seed: 3,
    mix,
    accounts: [ACCOUNT],
    ...plan,
  };
  return createRequests(whole, workload.steps, createOwners(), createRandom(3));
}

const answer = (json: unknown, headers = {}) => ({ status: 200, headers, bytes: Buffer.alloc(0), json });

test('a step that needs an earlier answer asks for it first, and then uses it', () => {
  const requests = requestsFor({ 'DELETE /api/v1/notes/{id}': 1 });
  const first = requests.next();
  expect(first.route).toBe('POST /api/v1/notes');
  first.remember?.(answer({ id: 41 }, { 'read-after': '1:0/16B3748' }));
  const second = requests.next();
  expect(second).toMatchObject({ route: 'DELETE /api/v1/notes/{id}', method: 'DELETE', path: '/api/v1/notes/41' });
  expect(second.headers).toMatchObject({ 'read-after': '1:0/16B3748', authorization: 'Bearer x' });
});

test('the next page follows the cursor of the page before, and starts beyond its last row', () => {
  const requests = requestsFor({ 'GET /api/v1/notes (next page)': 1 });
  const first = requests.next();
  expect(first.route).toBe('GET /api/v1/notes');
  first.remember?.(answer({ items: [{ id: 9 }, { id: 7 }], nextCursor: 'a+b' }));
  const second = requests.next();
  expect(second).toMatchObject({ route: 'GET /api/v1/notes (next page)', path: '/api/v1/notes?limit=50&cursor=a%2Bb' });
  expect(second.check?.args).toMatchObject({ after: 7, order: 'desc', kind: 'notes', orgId: 1 });
});

test('of two answers that overtook each other, the later position is kept', () => {
  const requests = requestsFor({ 'GET /api/v1/me': 1 });
  for (const position of ['1:0/A', '1:0/10', '1:0/9'])
    requests.next().remember?.(answer({}, { 'read-after': position }));
  expect(requests.next().headers).toMatchObject({ 'read-after': '1:0/10' });
});

test('weights decide how often a step comes', () => {
  const requests = requestsFor({ 'GET /api/v1/me': 9, 'GET /api/v1/summary': 1 });
  const routes = Array.from({ length: 1_000 }, () => requests.next().route);
  const summaries = routes.filter((route) => route === 'GET /api/v1/summary').length;
  expect(summaries).toBeGreaterThan(60);
  expect(summaries).toBeLessThan(140);
});

test('in cycles each step comes as often as its weight says, also one that needs something first', () => {
  const mix = { 'GET /api/v1/me': 2, 'DELETE /api/v1/notes/{id}': 1, 'GET /docs/openapi.json': 1 };
  const requests = requestsFor(mix, { mixOrder: 'cycle' });
  const asked: Record<string, number> = {};
  for (let nth = 0; nth < 15; nth++) {
    const request = requests.next();
    asked[request.route] = (asked[request.route] ?? 0) + 1;
    if (request.route === 'POST /api/v1/notes') request.remember?.(answer({ id: nth }));
  }
  expect(asked).toEqual({
    'GET /api/v1/me': 6,
    'GET /docs/openapi.json': 3,
    'DELETE /api/v1/notes/{id}': 3,
    'POST /api/v1/notes': 3,
  });
});

test('a cycle goes on past a step that is never given what it needs', () => {
  const requests = requestsFor({ 'DELETE /api/v1/notes/{id}': 1, 'GET /api/v1/me': 1 }, { mixOrder: 'cycle' });
  const routes = Array.from({ length: 8 }, () => requests.next().route);
  expect(routes.filter((route) => route === 'GET /api/v1/me')).toHaveLength(2);
});

test('what only those who run the platform may ask is left out of a mix for others', () => {
  const steps = { ...workload.steps, 'GET /api/v1/state': { ...workload.steps['GET /api/v1/me'], needs: 'operator' } };
  const mix = { 'GET /api/v1/me': 2, 'GET /api/v1/state': 1 };
  const askable = (isOperator: boolean) => askableBy([{ ...ACCOUNT, isOperator }], mix, steps as typeof workload.steps);
  expect(askable(false)).toEqual({ 'GET /api/v1/me': 2 });
  expect(askable(true)).toEqual(mix);
});

test('a mix that no account may ask is refused', () => {
  expect(() => requestsFor({ 'POST /api/v1/notes': 1 }, { accounts: [{ ...ACCOUNT, role: 'viewer' }] })).toThrow(
    'needs an account for: admin',
  );
});
