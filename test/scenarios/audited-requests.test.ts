import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { acceptedRequest, addParty, idFor, loadTenants, type Party } from './tenant.ts';

/** Whatever somebody who is signed in changes is in the audit log, or a module says in `unaudited` why it is not. */
const names = TEST_MODULES.map(({ name }) => name);
const moduleOf = modulesByRoute(names);
const tenants = await loadTenants(names);
const unaudited: Record<string, string> = Object.assign({}, ...[...tenants.values()].map((one) => one.unaudited));

let api: RunningApi;
let party: Party;
let writing: PathOperation[];
const members = new Set<string>();
beforeAll(async () => {
  api = await runApi();
  party = await addParty(api, tenants, 'mark-audited');
  writing = (await operationsOf(api.url)).filter(
    ({ method, operation }) => method !== 'GET' && operation.security === undefined,
  );
});
afterAll(() => api.stop());

test('whatever somebody who is signed in changes leaves one entry, in their name and that of their organisation', async () => {
  for (const route of writing) {
    const name = `${route.method} ${route.path}`;
    const before = await entries();
    for (const { email } of await api.database.db.selectFrom('users').select('email').execute()) members.add(email);
    const { status, body, actorId } = await send(route);
    const hint = `its example must be accepted, or \`states\` in test/modules/${moduleOf.get(name)}/tenant.ts says when it is`;
    expect(status, `${name}: ${hint}: ${JSON.stringify(body)}`).toBeLessThan(300);
    const added = (await entries()).slice(before.length).map(({ org_id, actor_id }) => [org_id, actor_id]);
    const advice = 'write an audit entry in its transaction, or say in `unaudited` of the module’s tenant.ts why not';
    if (unaudited[name] !== undefined) expect(added, `${name} leaves an entry: take it from \`unaudited\``).toEqual([]);
    else {
      expect(added.length, `${name}: ${advice}`).toBeGreaterThan(0);
      expect(new Set(added.map(String)), name).toEqual(new Set([String([party.orgId, actorId])]));
    }
  }
  expect(writing.length).toBeGreaterThan(names.length);
});

test('only operations that there are have a reason not to be in the log', () => {
  const known = writing.map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(unaudited).filter((name) => !known.includes(name))).toEqual([]);
});

test('no entry has the address of anybody without an account, whom nobody could erase from the log', async () => {
  const { rows } = await sql<{ words: string }>`
    select concat_ws(' ', subject, details::text) as words from audit_log`.execute(api.database.db);
  const addresses = rows.flatMap(({ words }) => words.match(/[^\s<>"]+@[^\s<>"]+/g) ?? []);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.filter((address) => !members.has(address))).toEqual([]);
});

/** By an owner of their own: some operations end the sessions of the person who asks for them. */
async function send(route: PathOperation) {
  const client = await api.signedIn(party.orgId, 'owner');
  const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
  const organisation = { ...party, client, database: api.database };
  const { body, headers } = await acceptedRequest(tenants.get(moduleOf.get(nameOf(route)) ?? ''), route, organisation);
  const { path } = route;
  const address = path.includes('{id}') ? path.replace('{id}', String(idFor(moduleOf, route, party))) : path;
  const answer = await client.send(route.method as 'POST', address, body, headers);
  return { ...answer, actorId: me.user.id };
}

function nameOf({ method, path }: PathOperation): string {
  return `${method} ${path}`;
}

async function entries() {
  const { rows } = await sql<{ org_id: number; actor_id: number | null }>`
    select org_id, actor_id from audit_log order by created_at, id`.execute(api.database.db);
  return rows;
}
