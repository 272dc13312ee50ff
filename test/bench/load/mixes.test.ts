import { expect, test } from 'vitest';
import { createOwners } from '../../../bench/load/checks.ts';
import { OFFICE_DAY, RARE, routesOf, STEPS } from '../../../bench/load/mixes.ts';
import type { OpenLoopPlan } from '../../../bench/load/plan.ts';
import { createRandom } from '../../../bench/load/random.ts';
import { createRequests } from '../../../bench/load/requests.ts';

const ACCOUNT = {
  token: 'x',
  orgId: 1,
  email: 'owner@a.test',
  role: 'owner',
  domain: 'a.test',
  mayLaunch: true,
  password: 'secret',
} as const;

function requestsFor(mix: Record<string, number>, account: object = ACCOUNT) {
  const plan = { kind: 'open-loop', url: '', phases: [], arrivals: 'constant', seed: 3, mix, accounts: [account] };
  return createRequests(plan as unknown as OpenLoopPlan, createOwners(), createRandom(3));
}

test('each step is in one of the mixes, and each mix has only steps that exist', () => {
  expect([...Object.keys(OFFICE_DAY), ...Object.keys(RARE)].sort()).toEqual(Object.keys(STEPS).sort());
});

test('a step that needs an earlier answer asks for it first, and then uses it', () => {
  const requests = requestsFor({ 'PUT /api/imports/{id}/file': 1 });
  const first = requests.next();
  expect(first.route).toBe('POST /api/imports');
  const headers = { 'read-after': '0/16B3748' };
  first.remember?.({ status: 201, headers, bytes: Buffer.alloc(0), json: { id: 41 } });
  const second = requests.next();
  expect(second).toMatchObject({ route: 'PUT /api/imports/{id}/file', path: '/api/imports/41/file' });
  expect(second.headers).toMatchObject({ 'read-after': '0/16B3748', 'content-type': 'text/csv' });
  expect(second.body?.trim().split('\n')).toHaveLength(21);
  expect(second.acknowledged?.({ status: 200, headers: {}, bytes: Buffer.alloc(0), json: {} })).toHaveLength(20);
});

test('of two answers that overtook each other, the later position is kept', () => {
  const requests = requestsFor({ 'GET /api/me': 1 });
  for (const position of ['0/A', '0/10', '0/9'])
    requests.next().remember?.({ status: 200, headers: { 'read-after': position }, bytes: Buffer.alloc(0), json: {} });
  expect(requests.next().headers).toMatchObject({ 'read-after': '0/10' });
});

test('weights decide how often a step comes', () => {
  const requests = requestsFor({ 'GET /api/me': 9, 'GET /api/mood': 1 });
  const routes = Array.from({ length: 1_000 }, () => requests.next().route);
  const moods = routes.filter((route) => route === 'GET /api/mood').length;
  expect(moods).toBeGreaterThan(60);
  expect(moods).toBeLessThan(140);
});

test('a mix that no account may ask is refused', () => {
  expect(() => requestsFor({ 'POST /api/campaigns': 1 }, { ...ACCOUNT, role: 'viewer' })).toThrow(
    'needs an account for: admin',
  );
});

test('routes are the steps without their uses', () => {
  expect(routesOf({ 'GET /api/employees (search)': 1, 'GET /api/employees': 1, 'socket hello': 1 })).toEqual([
    'GET /api/employees',
    'socket hello',
  ]);
});
