import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Module } from '../../src/modules/faces.ts';
import { writeNote } from '../../template/src/modules/notes/notes.ts';
import type { ApiClient } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { everyRow } from './every-row.ts';
import { acceptedRequest, addParty, idFor, loadTenants, type Party, type Request } from './tenant.ts';

/**
 * All that a POST with an Idempotency-Key writes is committed together with its answer. Here no answer can be kept, so
 * whatever stays was written past `request.db`, and a repetition would write it again. One that writes nothing is answered.
 */
const names = TEST_MODULES.map(({ name }) => name);
const moduleOf = modulesByRoute(names);
const tenants = await loadTenants(names);

let api: RunningApi;
let party: Party;
let posts: PathOperation[];
beforeAll(async () => {
  api = await runApi({}, [...TEST_MODULES, ESCAPING]);
  party = await addParty(api, tenants, 'mark-guarded');
  posts = (await operationsOf(api.url)).filter(
    ({ method, path, operation }) =>
      method === 'POST' && operation.security === undefined && moduleOf.has(`POST ${path}`),
  );
  const { db } = api.database;
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$`.execute(
    db,
  );
  await sql`create trigger refuse before insert on idempotency_keys execute function refuse()`.execute(db);
});
afterAll(() => api.stop());

test('nothing that a POST writes stays without its answer, whichever POST it is', async () => {
  for (const route of posts) {
    const name = `POST ${route.path}`;
    const request = await acceptedRequest(tenants.get(moduleOf.get(name) ?? ''), route, {
      ...party,
      database: api.database,
    });
    const before = await everyRow(api.database);
    const { status, body } = await send(party.client, addressOf(route), request);
    const hint = `its example must be accepted, or \`states\` in test/modules/${moduleOf.get(name)}/tenant.ts says when it is`;
    // 200 of what writes nothing, and so keeps no answer.
    expect([200, 500], `${name}: ${hint}: ${JSON.stringify(body)}`).toContain(status);
    expect(await everyRow(api.database), `${name} writes past request.db`).toEqual(before);
  }
  expect(posts.length).toBeGreaterThan(TEST_MODULES.length);
});

test('a statement that goes past the guard is found', async () => {
  const before = await everyRow(api.database);
  expect((await send(party.client, '/api/v1/escaping', {})).status).toBe(200);
  expect(await everyRow(api.database)).not.toEqual(before);
});

const ESCAPING: Module = {
  name: 'escaping',
  routes: async () => ({
    routes(routes) {
      routes.post('/escaping', async ({ caller, user }) => {
        await writeNote(caller.within(user.orgId), { orgId: user.orgId }, { title: 'Escaped', body: '' });
        return {};
      });
    },
  }),
};

function addressOf(route: PathOperation): string {
  return route.path.includes('{id}') ? route.path.replace('{id}', String(idFor(moduleOf, route, party))) : route.path;
}

function send(client: ApiClient, address: string, { body, headers }: Request) {
  return client.send('POST', address, body, { 'idempotency-key': randomUUID(), ...headers });
}
