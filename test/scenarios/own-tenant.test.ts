import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seed } from '../../scripts/seed.ts';
import type { ApiClient } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { createForgetfulProxy, type ForgetfulProxy } from './forgetful-proxy.ts';

type OpenApi = { paths: Record<string, Record<string, object>> };
type Row = { id: number };

const OURS = 9;
const THEIRS = 10;

/** An id of the other organisation for every kind of thing that an address names. */
let theirIds: Record<string, number>;
let campaignsBefore: object[];
let api: RunningApi;
let us: ApiClient;
let routes: { method: string; path: string }[];
const proxies: ForgetfulProxy[] = [];

/** The product as it is, or as it would be if every query had forgotten its filter. */
async function arrange(filters: 'kept' | 'forgotten'): Promise<void> {
  api = await runApi(async ({ url, replicaUrl }): Promise<Record<string, string>> => {
    if (filters === 'kept') return {};
    const [toPrimary, toReplica] = [await createForgetfulProxy(url), await createForgetfulProxy(replicaUrl)];
    proxies.push(toPrimary, toReplica);
    return { DATABASE_URL: toPrimary.url, DATABASE_REPLICA_URL: toReplica.url };
  });
  await seed(api.database.ownerUrl, { scale: 0.05 });
  us = await api.signedIn(OURS, 'owner');
  const them = await api.signedIn(THEIRS, 'owner');
  await them.send('POST', '/api/imports', { fileName: 'theirs.csv' });
  await us.send('POST', '/api/imports', { fileName: 'ours.csv' }); // and moves our position behind all of it
  theirIds = {};
  for (const table of ['campaigns', 'imports', 'conversations', 'employees', 'teams'] as const) {
    theirIds[table] = (await oneOf(table, THEIRS)).id;
  }
  campaignsBefore = await theirCampaigns();
  const document = (await (await fetch(`${api.url}/docs/openapi.json`)).json()) as OpenApi;
  routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

async function leave(): Promise<void> {
  await api.stop();
  for (const proxy of proxies.splice(0)) await proxy.close();
}

describe.each(['kept', 'forgotten'] as const)('with the filters of the queries %s', (filters) => {
  beforeAll(() => arrange(filters));
  afterAll(leave);

  test('every route that names something says 404 for what another organisation has', async () => {
    const named = routes.filter(({ path }) => path.includes('{'));
    expect(named.length).toBeGreaterThanOrEqual(9);
    for (const { method, path } of named) {
      const kind = /^\/api\/(\w+)\/\{id\}/.exec(path)?.[1] ?? '';
      expect(theirIds, `${path}: this test knows no ${kind} of the other organisation`).toHaveProperty(kind);
      const answer = await ask(method, path.replace('{id}', String(theirIds[kind])));
      expect(answer.status, `${method} ${path}`).toBe(404);
    }
  });

  test('the same routes do answer for what is ours', async () => {
    for (const { path } of routes.filter(({ method, path }) => method === 'GET' && path.includes('{'))) {
      const kind = /^\/api\/(\w+)/.exec(path)?.[1] as 'campaigns';
      const { id } = await oneOf(kind, OURS);
      expect((await us.get(path.replace('{id}', String(id)))).status, path).toBe(200);
    }
  });

  test('nothing of the other organisation was changed by asking for it', async () => {
    expect(await theirCampaigns()).toEqual(campaignsBefore);
    const file = await api.database.db.selectFrom('imports').selectAll().where('org_id', '=', THEIRS).execute();
    expect(file).toMatchObject([{ status: 'waiting', rows_read: 0 }]);
    const outbox = await api.database.db.selectFrom('outbox').selectAll().execute();
    expect(outbox).toEqual([]);
  });

  test('every list holds rows of ours, and all of ours, and nobody else’s', async () => {
    const lists = routes.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
    let checked = 0;
    for (const { path } of lists) {
      const first = await us.get<{ items?: Row[] }>(path);
      if (first.body.items === undefined) continue;
      const table = path.replace('/api/', '') as 'campaigns';
      const owned = await api.database.db.selectFrom(table).select('id').where('org_id', '=', OURS).execute();
      const seen = await allOf(path);
      expect(seen.length, path).toBeGreaterThan(0);
      expect(seen.map(({ id }) => id).toSorted(byNumber), path).toEqual(owned.map(({ id }) => id).toSorted(byNumber));
      checked++;
    }
    expect(checked).toBeGreaterThanOrEqual(5);
  });

  test('a filter by a team or a campaign of the other organisation finds nothing', async () => {
    const people = await us.get<{ items: Row[] }>(`/api/employees?teamId=${theirIds['teams']}`);
    const talks = await us.get<{ items: Row[] }>(`/api/conversations?campaignId=${theirIds['campaigns']}`);
    expect([people.body.items, talks.body.items]).toEqual([[], []]);
  });

  test('an export has nobody’s address but ours', async () => {
    const { body } = await us.get<string>('/api/exports/answers.csv');
    const lines = body.trim().split('\r\n').slice(1);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => !line.includes('@goeze.test'))).toEqual([]);
  });

  if (filters === 'forgotten') {
    test('the filters were indeed forgotten: without Row-Level Security the same questions show everything', async () => {
      const texts = proxies.flatMap(({ forgotten }) => [...forgotten]);
      expect(texts.length).toBeGreaterThanOrEqual(20);
      await rowLevelSecurity('disable');
      const { body } = await us.get<{ items: Row[] }>('/api/campaigns?limit=200');
      const { rows } = await sql<{ count: number }>`select count(*) from campaigns`.execute(api.database.db);
      expect(body.items).toHaveLength(Math.min(200, rows[0]?.count ?? 0));
      expect((await us.get(`/api/campaigns/${theirIds['campaigns']}`)).status).toBe(200);
    });
  }
});

async function rowLevelSecurity(change: 'enable' | 'disable'): Promise<void> {
  const tables = await sql<{ name: string }>`select relname as name from pg_class where relrowsecurity`.execute(
    api.database.db,
  );
  for (const { name } of tables.rows) {
    await sql`alter table ${sql.table(name)} ${sql.raw(change)} row level security`.execute(api.database.db);
  }
  // And moves our position behind it, for whatever is read on the replica.
  await us.send('POST', '/api/imports', { fileName: 'again.csv' });
}

/** With a body that the route would accept, so that it is the id that is refused. */
function ask(method: string, path: string) {
  if (method === 'GET') return us.get(path);
  if (path.endsWith('/file'))
    return us.send('PUT', path, 'name,email\nEve,eve@evil.test\n', { 'content-type': 'text/csv' });
  if (path.endsWith('/schedule')) return us.send('POST', path, { cron: '0 9 * * 1' });
  return us.send(method as 'POST', path, method === 'PATCH' ? { name: 'Ours now' } : undefined);
}

function theirCampaigns(): Promise<object[]> {
  return api.database.db.selectFrom('campaigns').selectAll().where('org_id', '=', THEIRS).orderBy('id').execute();
}

async function allOf(path: string): Promise<Row[]> {
  const seen: Row[] = [];
  let next: string | null | undefined = '';
  while (typeof next === 'string') {
    const query: string = next === '' ? '' : `?cursor=${next}`;
    const { body }: { body: { items: Row[]; nextCursor?: string | null } } = await us.get(path + query);
    seen.push(...body.items);
    next = body.nextCursor;
  }
  return seen;
}

function oneOf(table: 'campaigns' | 'imports' | 'conversations' | 'employees' | 'teams', orgId: number): Promise<Row> {
  return api.database.db.selectFrom(table).select('id').where('org_id', '=', orgId).limit(1).executeTakeFirstOrThrow();
}

function byNumber(a: number, b: number): number {
  return a - b;
}
