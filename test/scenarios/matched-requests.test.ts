import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Module } from '../../src/modules/faces.ts';
import { writeNote } from '../../template/src/modules/notes/notes.ts';
import type { Answer } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { everyRow } from './every-row.ts';
import { acceptedRequest, addParty, idFor, loadTenants, type Party, type Request } from './tenant.ts';

/** No operation of the document ignores an If-Match, nor a change an If-None-Match: with the wrong ETag it does nothing. */
const names = TEST_MODULES.map(({ name }) => name);
const moduleOf = modulesByRoute(names);
const tenants = await loadTenants(names);

let api: RunningApi;
let party: Party;
let routes: PathOperation[];
/** What changes a thing that has an ETag, and every other change. */
let tagged: PathOperation[];
let untagged: PathOperation[];
beforeAll(async () => {
  api = await runApi({}, [...TEST_MODULES, ESCAPING]);
  party = await addParty(api, tenants, 'mark-matched');
  routes = (await operationsOf(api.url)).filter(({ method, path }) => moduleOf.has(`${method} ${path}`));
  const things = routes.filter(answersWithEtag).map(({ path }) => path);
  const changes = routes.filter(({ method }) => method !== 'GET');
  const isTagged = ({ path }: PathOperation) => things.some((thing) => path === thing || path.startsWith(`${thing}/`));
  tagged = changes.filter(isTagged);
  untagged = changes.filter((route) => !isTagged(route));
});
afterAll(() => api.stop());

test('whatever a GET gives an ETag for, its document says so', async () => {
  const read = routes.filter(({ method, path }) => method === 'GET' && path.includes('{id}'));
  for (const route of read) {
    const { headers } = await party.client.get(addressOf(route));
    const advice = 'say how its ETag is read and locked, with api.tagThing(…), and give it in the answer';
    expect(headers.has('etag'), `GET ${route.path}: ${advice}`).toBe(answersWithEtag(route));
  }
  expect(read.length).toBeGreaterThan(1);
});

test('whatever changes a thing that has an ETag does nothing with that of another version', async () => {
  expect(tagged.map(nameOf)).toContain('PATCH /api/v1/notes/{id}');
  for (const route of tagged) {
    const request = await requestOf(route);
    const tag = await tagOf(route);
    const before = await everyRow(api.database);
    for (const outdated of ['"no-such-version"', `W/${tag}`, `"0", W/${tag}, "no-such-version"`]) {
      const answer = await send(route, request, { 'if-match': outdated });
      expectRefused(route, outdated, answer);
    }
    for (const unwanted of ['*', tag, `W/${tag}`, `"no-such-version", ${tag}`]) {
      const answer = await send(route, request, { 'if-match': '*', 'if-none-match': unwanted });
      expectRefused(route, `* and If-None-Match: ${unwanted}`, answer);
    }
    expect(await everyRow(api.database), `${nameOf(route)} writes past request.db`).toEqual(before);
    expect(parametersOf(route), nameOf(route)).toContain('if-match');
  }
}, 300_000);

test('and does it with that of the current one, which may be one of many', async () => {
  for (const route of lastDeletions(tagged)) {
    const request = await requestOf(route);
    const answer = await send(route, request, { 'if-match': `"no-such-version", ${await tagOf(route)}` });
    expect(answer.status, `${nameOf(route)}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  }
}, 300_000);

test('whatever changes a thing without an ETag refuses each, instead of leaving it unread', async () => {
  expect(untagged.length).toBeGreaterThan(names.length);
  for (const route of untagged) {
    const request = await requestOf(route);
    const before = await everyRow(api.database);
    expectRefused(route, '"1"', await send(route, request, { 'if-match': '"1"' }));
    expectRefused(route, '* and If-None-Match: *', await send(route, request, { 'if-none-match': '*' }));
    expect(await everyRow(api.database), nameOf(route)).toEqual(before);
  }
}, 300_000);

test('an operation that is added to a thing is held to it, and one that writes past request.db is found', async () => {
  const note = party.ids['notes'];
  const address = `/api/v1/notes/${note}`;
  const before = await everyRow(api.database);
  const outdated = { 'if-match': '"no-such-version"' };
  expect((await party.client.send('POST', `${address}/added`, undefined, outdated)).status).toBe(412);
  expect(await everyRow(api.database)).toEqual(before);
  await party.client.send('POST', `${address}/escaping`, undefined, outdated);
  expect(await everyRow(api.database)).not.toEqual(before);
});

const ESCAPING: Module = {
  name: 'escaping',
  routes: async () => ({
    routes(routes) {
      const title = { title: 'Added', body: '' };
      routes.post('/notes/:id/added', async ({ db, user }) => writeNote(db, { orgId: user.orgId }, title));
      routes.post('/notes/:id/escaping', async ({ caller, user: { orgId } }) =>
        writeNote(caller.within(orgId), { orgId }, title),
      );
    },
  }),
};

function expectRefused(route: PathOperation, tag: string, { status, body }: Answer<unknown>): void {
  const advice = `${nameOf(route)} with If-Match: ${tag}: write through request.db`;
  expect({ status, body }, advice).toMatchObject({ status: 412, body: { code: 'changed_meanwhile' } });
}

async function requestOf(route: PathOperation): Promise<Request> {
  return acceptedRequest(tenants.get(moduleOf.get(nameOf(route)) ?? ''), route, { ...party, database: api.database });
}

/** As it is now. */
async function tagOf({ path }: PathOperation): Promise<string> {
  const thing = routes.find((route) => answersWithEtag(route) && path.startsWith(route.path)) as PathOperation;
  return (await party.client.get(addressOf(thing))).headers.get('etag') as string;
}

function send({ method, path }: PathOperation, { body, headers }: Request, more: Record<string, string>) {
  return party.client.send(method as 'POST', addressOf({ method, path, operation: {} }), body, { ...headers, ...more });
}

function addressOf(route: PathOperation): string {
  return route.path.replace('{id}', () => String(idFor(moduleOf, route, party)));
}

function nameOf({ method, path }: PathOperation): string {
  return `${method} ${path}`;
}

function parametersOf({ operation }: PathOperation): string[] {
  return operation.parameters?.map(({ name }) => name) ?? [];
}

function answersWithEtag({ method, operation }: PathOperation): boolean {
  return method === 'GET' && operation.responses?.['200']?.headers?.['etag'] !== undefined;
}

/** What is deleted cannot be changed any more. */
function lastDeletions(routes: readonly PathOperation[]): PathOperation[] {
  return routes.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
}
