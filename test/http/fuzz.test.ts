import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arbitraryRequest, type FuzzedOperation } from '../../bench/fuzz/arbitrary-request.ts';
import { knownThings } from '../../bench/fuzz/known-things.ts';
import { faultOf, sendFuzzed } from '../../bench/fuzz/send-fuzzed.ts';
import type { ApiClient } from '../api-client.ts';
import { operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';

const REQUESTS = 300;
/** The same requests each time: other ones are what `npm run bench:fuzz` is for. */
const SEED = 1;

let api: RunningApi;
let owner: ApiClient;
let operations: PathOperation[];
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
  operations = await operationsOf(api.url);
});
afterAll(() => api.stop());

test('whatever is sent to any route, the answer is one that the document names, and never a fault of the server', async () => {
  const byRoute = new Map(operations.map((one) => [`${one.method} ${one.path}`, one.operation]));
  const fuzzed = operations.map(
    ({ method, path, operation }) => ({ method, path, ...operation }) as unknown as FuzzedOperation,
  );
  const known = await knownThings(api.url, owner.token, fuzzed);
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(arbitraryRequest(fuzzed, known), async (request) => {
      const answer = await sendFuzzed(api.url, owner.token, request);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      // Signed out by a request: signed in again for the next one.
      if (answer.status === 204) owner = await api.signedIn(owner.orgId, 'owner');
      expect(faultOf(answer, byRoute.get(request.route) as { responses: object } as never)).toBeUndefined();
    }),
    { numRuns: REQUESTS, seed: SEED },
  );
  // Otherwise it would prove little: some of it was read, some changed something, and some was refused in different ways.
  for (const status of [200, 400, 403, 404]) expect([...statuses.keys()]).toContain(status);
  expect([201, 202, 204].some((changed) => statuses.has(changed))).toBe(true);
  expect(statuses.get(400)).toBeLessThan(REQUESTS / 2);
});
