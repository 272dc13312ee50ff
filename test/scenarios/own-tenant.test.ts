import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, ApiClient } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { createForgetfulProxy, type ForgetfulProxy } from './forgetful-proxy.ts';
import { acceptedRequest, addParty, idFor, loadTenants, type Party } from './tenant.ts';

interface Item {
  readonly id: number;
}

const moduleOf = modulesByRoute(TEST_MODULES.map(({ name }) => name));
const tenants = await loadTenants(TEST_MODULES.map(({ name }) => name));
/** Larger than any that the database has given out. */
const NOBODYS_ID = 2_000_000_000;
/** Of headers that differ between two equal requests. */
const VOLATILE = ['date', 'ratelimit', 'content-length', 'connection', 'keep-alive'];
const proxies: ForgetfulProxy[] = [];
let api: RunningApi;
let us: Party;
let them: Party;
let routes: PathOperation[];
let named: PathOperation[];
let unnamedReads: PathOperation[];
let theirRowsBefore: Record<string, unknown>;

test('every module whose routes name a thing by its id says how to make one', () => {
  const lacking = [...moduleOf]
    .filter(([route, module]) => route.includes('{') && !tenants.has(module))
    .map(
      ([route, module]) =>
        `${route}: write test/modules/${module}/tenant.ts, which exports a Tenant (test/scenarios/tenant.ts).`,
    );
  expect(lacking).toEqual([]);
});

describe.each(['kept', 'forgotten'] as const)('with the filters of the queries %s', (filters) => {
  beforeAll(() => arrange(filters));
  afterAll(leave);

  test('every route that names a thing answers 404 for what another organisation has', async () => {
    expect(named.length).toBeGreaterThanOrEqual(2);
    for (const route of named) {
      const { status } = await ask(us.client, route, idFor(moduleOf, route, them));
      expect(status, `${route.method} ${route.path}`).toBe(404);
    }
  });

  test('what another organisation has is answered word for word like what nobody has', async () => {
    for (const route of named) {
      const theirs = idFor(moduleOf, route, them);
      const answer = likened(await ask(us.client, route, theirs), theirs);
      expect(answer, `${route.method} ${route.path}`).toEqual(
        likened(await ask(us.client, route, NOBODYS_ID), NOBODYS_ID),
      );
    }
  });

  test('and so is a filter that names it', async () => {
    let filters = 0;
    for (const { path, operation } of unnamedReads) {
      const names = operation.parameters?.flatMap(({ name, in: place }) => (place === 'query' ? [name] : [])) ?? [];
      for (const name of names.filter((one) => one.endsWith('Id'))) {
        const theirs = theirIdFor(name);
        expect(likened(await us.client.get(`${path}?${name}=${theirs}`), theirs), `${path} ${name}`).toEqual(
          likened(await us.client.get(`${path}?${name}=${NOBODYS_ID}`), NOBODYS_ID),
        );
        filters++;
      }
    }
    expect(filters).toBeGreaterThan(0);
  });

  test('and so is an id of it in a body', async ({ skip }) => {
    let ids = 0;
    for (const route of routes) {
      const module = moduleOf.get(`${route.method} ${route.path}`) ?? '';
      for (const name of namesIn(route.operation.requestBody).filter((one) => one.endsWith('Id'))) {
        const theirs = theirIdFor(name);
        const ours = { ...us, database: api.database };
        const { body, headers } = await acceptedRequest(tenants.get(module), route, ours);
        const path = route.path.replace('{id}', () => String(idFor(moduleOf, route, us)));
        const send = (id: number) =>
          us.client.send(route.method as 'POST', path, { ...(body as object), [name]: id }, headers);
        const answer = likened(await send(theirs), theirs);
        expect(answer.status, `${route.method} ${path}`).toBeGreaterThanOrEqual(400);
        expect(answer, `${route.method} ${path}`).toEqual(likened(await send(NOBODYS_ID), NOBODYS_ID));
        ids++;
      }
    }
    skip(ids === 0, 'no route takes an id in its body');
  });

  test('nothing of the other organisation was changed by that', async () => {
    expect(Object.values(theirRowsBefore).flat().length).toBeGreaterThan(tenants.size);
    expect(await rowsOf(them.orgId)).toEqual(theirRowsBefore);
  });

  test('every list has all rows of the own organisation, and no other', async () => {
    let lists = 0;
    for (const { path, operation } of unnamedReads) {
      const items = await allOf(path, operation);
      if (items === undefined) continue;
      const { rows: own } = await sql<Item>`
        select id from ${sql.table(tableOf(path))} where org_id = ${us.orgId} order by id`.execute(api.database.db);
      expect(own.length, `${path} is empty: its module's tenant.ts makes nothing for it`).toBeGreaterThan(0);
      expect(items.map(({ id }) => id).toSorted(byNumber), path).toEqual(own.map(({ id }) => id));
      lists++;
    }
    expect(lists).toBeGreaterThanOrEqual(1);
  });

  test('whatever is read without an id shows texts of the own organisation only', async () => {
    const shows = [...tenants.values()].flatMap((tenant) => tenant.shows ?? []);
    for (const { path } of unnamedReads) {
      const { status, body, headers } = await us.client.get<{ items?: unknown }>(path);
      expect(status, path).toBe(200);
      const text = JSON.stringify(body);
      const isExport = headers.get('content-type')?.startsWith('text/csv') === true;
      if (isExport || body.items !== undefined || shows.includes(path)) expect(text, path).toContain(us.mark);
      expect(text, path).not.toContain(them.mark);
    }
  });

  test('what is about all organisations is refused to the owner of one', async () => {
    const everybodys = routes.filter(({ operation }) => operation['x-operator'] === true);
    expect(everybodys.map(({ path }) => path)).toEqual(['/api/v1/operations']);
    for (const { path } of everybodys) expect((await us.client.get(path)).status, path).toBe(403);
  });

  test('a filter that names a thing of another organisation finds nothing', async () => {
    for (const path of [...tenants.values()].flatMap((tenant) => tenant.filters?.(them.ids) ?? [])) {
      expect(await us.client.get(path), path).toMatchObject({ status: 200, body: { items: [] } });
    }
    for (const path of [...tenants.values()].flatMap((tenant) => tenant.filters?.(us.ids) ?? [])) {
      const { body } = await us.client.get<{ items: Item[] }>(path);
      expect(body.items.length, `${path} finds nothing of our own either`).toBeGreaterThan(0);
    }
  });

  if (filters === 'forgotten') {
    test('without Row-Level Security the forgotten filters show every organisation’s rows', async () => {
      expect(proxies.flatMap(({ forgotten }) => [...forgotten]).length).toBeGreaterThanOrEqual(tenants.size);
      await rowLevelSecurity('disable');
      for (const { path, operation } of unnamedReads) {
        const items = await allOf(path, operation);
        if (items !== undefined) expect(items.length, path).toBe(await countOf(tableOf(path)));
      }
      for (const route of named.filter(({ method }) => method === 'GET')) {
        expect((await ask(us.client, route, idFor(moduleOf, route, them))).status, route.path).toBe(200);
      }
      await rowLevelSecurity('enable');
    });
  }

  test('the same requests are accepted for what is our own', async () => {
    for (const route of named) {
      const { status, body } = await ask(us.client, route, idFor(moduleOf, route, us));
      const what = `${route.method} ${route.path}: ${JSON.stringify(body)}`;
      if (route.method === 'GET') expect(status, what).toBe(200);
      // The request is accepted; a conflict only says that the thing is in another state.
      else expect([200, 201, 202, 204, 409], what).toContain(status);
    }
  });
});

/** The product as it is, or as it would be if every query had forgotten its filter. */
async function arrange(filters: 'kept' | 'forgotten'): Promise<void> {
  api = await runApi(async ({ url, replicaUrl }): Promise<Record<string, string>> => {
    if (filters === 'kept') return {};
    const [toPrimary, toReplica] = [await createForgetfulProxy(url), await createForgetfulProxy(replicaUrl)];
    proxies.push(toPrimary, toReplica);
    return { DATABASE_URL: toPrimary.url, DATABASE_REPLICA_URL: toReplica.url };
  });
  routes = await operationsOf(api.url);
  named = routes.filter(({ path }) => path.includes('{'));
  unnamedReads = routes.filter(
    ({ method, path, operation }) => method === 'GET' && !path.includes('{') && operation['x-operator'] !== true,
  );
  us = await addParty(api, tenants, 'mark-ours');
  them = await addParty(api, tenants, 'mark-theirs');
  await moveOurPosition();
  theirRowsBefore = await rowsOf(them.orgId);
}

async function leave(): Promise<void> {
  await api.stop();
  for (const proxy of proxies.splice(0)) await proxy.close();
}

/** Behind everything that was written by others: whatever we read from the replica from here on has seen it. */
async function moveOurPosition(): Promise<void> {
  const { status } = await us.client.send('POST', '/api/v1/notes', { title: us.mark });
  expect(status).toBe(201);
}

function ask(client: ApiClient, { method, path }: PathOperation, id: number) {
  const address = path.replace('{id}', String(id));
  if (method === 'GET') return client.get(address);
  const module = moduleOf.get(`${method} ${path}`) ?? '';
  const { body, headers } = tenants.get(module)?.requests?.[`${method} ${path}`] ?? {};
  return client.send(method as 'POST', address, body, headers);
}

/** Of what a field that ends in Id names: the collection is its plural, or else it is one of the people. */
function theirIdFor(name: string): number {
  return (them.ids[`${name.slice(0, -2)}s`] ?? them.ids['users']) as number;
}

/** What somebody can tell from an answer to a request that named this id. */
function likened({ status, headers, body }: Answer<unknown>, id: number) {
  const words = JSON.stringify(body).replaceAll(new RegExp(`\\b${id}\\b`, 'g'), 'that id');
  return { status, words, headers: [...headers.keys()].filter((name) => !VOLATILE.includes(name)).toSorted() };
}

/** Of all properties in a schema, however deep. */
function namesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inner]) =>
    key === 'properties'
      ? [...Object.keys(inner as object), ...namesIn(inner)]
      : key === 'example'
        ? []
        : namesIn(inner),
  );
}

/** All pages of a list, each as short as it can be; undefined when the route answers with something else. */
async function allOf(path: string, operation: PathOperation['operation']): Promise<Item[] | undefined> {
  const limit = operation.parameters?.some(({ name }) => name === 'limit') ? '?limit=1' : '';
  const seen: Item[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await us.client.get<{ items?: Item[]; nextCursor?: string | null }>(path + limit + cursor);
    if (body.items === undefined) return undefined;
    seen.push(...body.items);
    if (typeof body.nextCursor !== 'string') return seen;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

function tableOf(path: string): string {
  const tables = Object.assign({}, ...[...tenants.values()].map((tenant) => tenant.tables)) as Record<string, string>;
  return tables[path] ?? (path.split('/').at(-1) as string).replaceAll('-', '_');
}

async function countOf(table: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int from ${sql.table(table)}`.execute(api.database.db);
  return rows[0]?.count ?? Number.NaN;
}

/** Every row of every table that belongs to the organisation. */
async function rowsOf(orgId: number): Promise<Record<string, unknown>> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'org_id' order by table_name`.execute(api.database.db);
  const found: Record<string, unknown> = {};
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ row: unknown }>`
      select to_jsonb(t) as row from ${sql.table(name)} t where org_id = ${orgId} order by to_jsonb(t)::text`.execute(
      api.database.db,
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}

async function rowLevelSecurity(change: 'enable' | 'disable'): Promise<void> {
  const tables = await sql<{ name: string }>`select relname as name from pg_class where relforcerowsecurity`.execute(
    api.database.db,
  );
  for (const { name } of tables.rows)
    await sql`alter table ${sql.table(name)} ${sql.raw(change)} row level security`.execute(api.database.db);
  await moveOurPosition();
}

function byNumber(a: number, b: number): number {
  return a - b;
}
