import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR_STATUS, type ErrorCode } from '../../src/errors.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { addParty, idFor, loadTenants, type Party } from '../scenarios/tenant.ts';
import { cases, expectDocumented, jsonOf, type Problem } from './matrix-cases.ts';

/** As matrix.test.ts, for routes that read a file: what they refuse, of a thing that is there and waits for one. */
const files = cases.filter(
  ([, { operation }]) => operation.requestBody !== undefined && jsonOf(operation) === undefined,
);
const names = TEST_MODULES.map(({ name }) => name);
const moduleOf = modulesByRoute(names);
const tenants = await loadTenants(names);

let api: RunningApi;
let parties = 0;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('a route that reads something other than JSON says what', () => {
  for (const [name, { operation }] of files)
    expect(Object.keys(operation.requestBody?.content ?? {}).length, name).toBeGreaterThan(0);
});

const TEXT = 'name,email\nZoë,zoe@corp.test\n';

test.each(files)('%s: files that are none, or that nobody can read, are refused', async (name, one) => {
  const [type = ''] = Object.keys(one.operation.requestBody?.content ?? {});
  const refusals: [string, ErrorCode[], string | Uint8Array, Record<string, string>?][] = [
    ['an empty file', ['invalid'], new Uint8Array(0)],
    ['another type', ['unsupported'], '<a/>', { 'content-type': 'application/xml' }],
    ['JSON', ['unsupported'], '{}', { 'content-type': 'application/json' }],
    ['no type', ['unsupported'], Buffer.from(TEXT), {}],
    ['what is no type', ['unsupported'], TEXT, { 'content-type': 'nothing' }],
    ['an unknown charset', ['unsupported'], TEXT, { 'content-type': `${type}; charset=klingon` }],
    ['compressed', ['unsupported'], TEXT, { 'content-type': type, 'content-encoding': 'gzip' }],
    ['a NUL', ['unsupported'], 'name,email\nA\0da,ada@corp.test\n'],
    ['nothing but NULs', ['unsupported'], Buffer.alloc(2_000)],
    ['a line without an end', ['too_large', 'invalid'], 'x'.repeat(3_000_000)],
  ];
  for (const [what, codes, body, headers = { 'content-type': type }] of refusals) {
    // Of its own: some things wait for one file only.
    const party = await addParty(api, tenants, `mark-${parties++}`);
    const path = one.path.includes('{') ? one.path.replace('{id}', String(idOf(one, party))) : one.path;
    const answer = await party.client.send<Problem>(one.method as 'POST', path, body, headers);
    expectDocumented(one, answer, what);
    expect(
      codes.map((code) => ERROR_STATUS[code]),
      `${name}, ${what}: ${JSON.stringify(answer.body)}`,
    ).toContain(answer.status);
    expect(codes, what).toContain(answer.body.code);
  }
});

const idOf = (one: (typeof cases)[number][1], party: Party) => idFor(moduleOf, one, party);
