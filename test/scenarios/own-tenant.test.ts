import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiClient } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, operationsOf, type PathOperation } from '../openapi.ts';
import { addOrganisation } from '../organisation.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { createForgetfulProxy, type ForgetfulProxy } from './forgetful-proxy.ts';
import { type Ids, loadTenant, type Tenant } from './tenant.ts';

interface Item {
  readonly id: number;
}
interface Party {
  readonly orgId: number;
  readonly client: ApiClient;
  readonly mark: string;
  readonly ids: Ids;
}

const moduleOf = modulesByRoute(TEST_MODULES.map(({ name }) => name));
const tenants = new Map<string, Tenant>();
const proxies: ForgetfulProxy[] = [];
let api: RunningApi;
let us: Party;
let them: Party;
let named: PathOperation[];
let unnamedReads: PathOperation[];
let theirRowsBefore: Record<string, unknown>;

for (const { name } of TEST_MODULES) {
  const tenant = await loadTenant(name);
  if (tenant !== undefined) tenants.set(name, tenant);
}

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
      const { status } = await ask(us.client, route, idFor(route, them));
      expect(status, `${route.method} ${route.path}`).toBe(404);
    }
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
        expect((await ask(us.client, route, idFor(route, them))).status, route.path).toBe(200);
      }
      await rowLevelSecurity('enable');
    });
  }

  test('the same requests are accepted for what is our own', async () => {
    for (const route of named) {
      const { status, body } = await ask(us.client, route, idFor(route, us));
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
  const routes = await operationsOf(api.url);
  named = routes.filter(({ path }) => path.includes('{'));
  unnamedReads = routes.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
  us = await addParty('mark-ours');
  them = await addParty('mark-theirs');
  await moveOurPosition();
  theirRowsBefore = await rowsOf(them.orgId);
}

async function leave(): Promise<void> {
  await api.stop();
  for (const proxy of proxies.splice(0)) await proxy.close();
}

async function addParty(mark: string): Promise<Party> {
  const { database } = api;
  const orgId = await addOrganisation(database.db, `Organisation ${mark}`);
  const client = await api.signedIn(orgId, 'owner');
  let ids: Ids = {};
  for (const tenant of tenants.values())
    ids = { ...ids, ...(await tenant.arrange({ orgId, client, database, mark, ids })) };
  return { orgId, client, mark, ids };
}

/** Behind everything that was written by others: whatever we read from the replica from here on has seen it. */
async function moveOurPosition(): Promise<void> {
  const { status } = await us.client.send('POST', '/api/v1/notes', { title: us.mark });
  expect(status).toBe(201);
}

function idFor({ method, path }: PathOperation, party: Party): number {
  const collection = /^\/api\/v1\/([\w-]+)\/\{id\}/.exec(path)?.[1] ?? '';
  const id = party.ids[collection];
  if (id !== undefined) return id;
  const module = moduleOf.get(`${method} ${path}`);
  throw new Error(
    `${method} ${path}: arrange() in test/modules/${module}/tenant.ts must return the id of one of the ${collection}`,
  );
}

function ask(client: ApiClient, { method, path }: PathOperation, id: number) {
  const address = path.replace('{id}', String(id));
  if (method === 'GET') return client.get(address);
  const module = moduleOf.get(`${method} ${path}`) ?? '';
  const { body, headers } = tenants.get(module)?.requests?.[`${method} ${path}`] ?? {};
  return client.send(method as 'POST', address, body, headers);
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
