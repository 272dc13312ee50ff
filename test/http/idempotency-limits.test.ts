import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ApiClient } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';

vi.mock('../../src/limits.ts', async (original) => ({
  ...(await original<object>()),
  REPEATABLE_REQUESTS_MAX: 3,
}));

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

const write = (by: ApiClient, headers: Record<string, string> = { 'idempotency-key': randomUUID() }) =>
  by.send<{ code: string; detail: string }>('POST', '/api/v1/notes', { title: 'Weekly' }, headers);

test('an organisation sends as many keys in an hour as the limit, and is then told when it may again', async () => {
  const owner = await api.newOwner();
  const colleague = await api.signedIn(owner.orgId, 'admin');
  for (const by of [owner, colleague, owner]) expect((await write(by)).status).toBe(201);
  const refused = await write(colleague);
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(refused.body.detail).toMatch(/^Too many requests with an Idempotency-Key\. Try again in \d+ minutes\.$/);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const { body } = await owner.get<{ items: unknown[] }>('/api/v1/notes');
  expect(body.items).toHaveLength(3);
  expect((await write(owner, {})).status).toBe(201); // without a key
  expect((await write(await api.newOwner())).status).toBe(201); // of another organisation
});
