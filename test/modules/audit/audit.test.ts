import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERY_ORGANISATION, type Scope } from '../../../src/db/tenant-isolation.ts';
import { EXPORTS_OF_ORGANISATION_MAX } from '../../../src/limits.ts';
import { writeAudit } from '../../../src/modules/audit/audit.ts';
import { AUDIT_DAYS } from '../../../src/modules/audit/limits.ts';
import { retention } from '../../../src/modules/audit/retention.ts';
import type { ApiClient } from '../../api-client.ts';
import { until } from '../../database.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

interface Entry {
  id: number;
  at: string;
  actor: string | null;
  actorId: number | null;
  action: string;
  subject: string | null;
  network: string | null;
  details: object;
}

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

test('a registration is the first entry of an organisation, with who, what and from where', async () => {
  const { items } = await entries('');
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({
    actor: 'Olga Owner',
    actorId: expect.any(Number),
    action: 'organisation.registered',
    subject: 'Acme',
    network: '127.0.0.1',
    details: {},
  });
});

test('an entry is there if, and only if, the transaction that it is about commits', async () => {
  const org = await api.newOwner();
  const write = (fail: boolean) =>
    api.database.database.transact(org.orgId, async (transaction) => {
      await writeAudit(
        transaction,
        { orgId: org.orgId, name: 'A job' },
        { action: 'note.changed', subject: String(fail) },
      );
      if (fail) throw new Error('rolled back');
    });
  await write(false);
  await expect(write(true)).rejects.toThrow('rolled back');
  const { items } = await entries('?action=note.changed', org);
  expect(items.map(({ subject, actor }) => [subject, actor])).toEqual([['false', 'A job']]);
});

test('requests can add entries, but no role can change one, and jobs can delete only those that are old', async () => {
  const { database } = api.database;
  const org = await api.newOwner();
  await add(org, 1, '1 day');
  await add(org, 2, `${AUDIT_DAYS + 1} days`);
  const as = (scope: Scope, text: string) =>
    database.transact(scope, (transaction) => sql.raw(text).execute(transaction));
  for (const scope of [EVERY_ORGANISATION, org.orgId] as const)
    await expect(as(scope, `update audit_log set action = 'x.y'`)).rejects.toMatchObject({ code: '42501' });
  await expect(as(org.orgId, 'delete from audit_log')).rejects.toMatchObject({ code: '42501' });
  await as(EVERY_ORGANISATION, `delete from audit_log where org_id = ${org.orgId}`);
  expect((await entries('', org)).items).toHaveLength(1);
});

test('what is older than the retention is deleted, and nothing younger', async () => {
  const org = await api.newOwner();
  await add(org, 3, `${AUDIT_DAYS + 2} days`);
  await add(org, 2, `${AUDIT_DAYS - 1} days`);
  expect(await retention.audit_log.forget(api.database.database, new AbortController().signal)).toBe(3);
  expect((await entries('', org)).items).toHaveLength(2);
});

test('the log is read page by page, newest first, without gaps among entries of the same moment', async () => {
  const org = await api.newOwner();
  await add(org, 7, '1 hour');
  const seen: number[] = [];
  for (let cursor = ''; ; ) {
    const { items, nextCursor } = await entries(`?limit=3${cursor}`, org);
    seen.push(...items.map(({ id }) => id));
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  expect(seen).toHaveLength(7);
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});

test('it is filtered by person, action and day, and a cursor belongs to its filter', async () => {
  const org = await api.newOwner();
  const actorId = 4711;
  await add(org, 2, '3 days', { action: 'a.b', actorId });
  await add(org, 2, '1 day', { action: 'a.c', actorId });
  await add(org, 1, '1 day', { action: 'a.c' });
  const countOf = async (query: string) => (await entries(query, org)).items.length;
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  expect(await countOf('?action=a.c')).toBe(3);
  expect(await countOf(`?actorId=${actorId}`)).toBe(4);
  expect(await countOf(`?actorId=${actorId}&action=a.c`)).toBe(2);
  expect(await countOf(`?from=${day(1)}`)).toBe(3);
  expect(await countOf(`?to=${day(2)}`)).toBe(2);
  expect(await countOf(`?from=${day(1)}&to=${day(0)}&actorId=${actorId}`)).toBe(2);
  for (const path of ['audit-log', 'exports/audit-log.csv'])
    expect(await org.get(`/api/v1/${path}?from=${day(0)}&to=${day(1)}`)).toMatchObject({
      status: 400,
      body: { detail: '`from` must not be later than `to`.' },
    });
  const { nextCursor } = await entries('?limit=1&action=a.c', org);
  expect((await org.get(`/api/v1/audit-log?limit=1&action=a.b&cursor=${nextCursor}`)).status).toBe(400);
});

test('its days are those of the time zone that is asked for, in the list and in the export, and of UTC otherwise', async () => {
  const org = await api.newOwner();
  for (const at of ['2026-11-01T06:59:59Z', '2026-11-01T07:00:00Z', '2026-11-02T07:59:59Z', '2026-11-02T08:00:00Z'])
    await sql`
      insert into audit_log (org_id, created_at, action, subject)
      values (${org.orgId}::bigint, ${at}::timestamptz, 'a.b', ${at})`.execute(api.database.db);
  const day = 'action=a.b&from=2026-11-01&to=2026-11-01';
  const subjects = async (query: string) => (await entries(`?${query}`, org)).items.map(({ subject }) => subject);
  // The clocks go back on this day: it has 25 hours.
  expect(await subjects(`${day}&timeZone=America/Los_Angeles`)).toEqual([
    '2026-11-02T07:59:59Z',
    '2026-11-01T07:00:00Z',
  ]);
  expect(await subjects('action=a.b&from=2026-11-02&timeZone=Pacific/Auckland')).toEqual([
    '2026-11-02T08:00:00Z',
    '2026-11-02T07:59:59Z',
  ]);
  expect(await subjects(day)).toEqual(['2026-11-01T07:00:00Z', '2026-11-01T06:59:59Z']);
  const { body } = await org.get<string>(`/api/v1/exports/audit-log.csv?${day}&timeZone=America/Los_Angeles`);
  expect(body.trim().split('\r\n')).toHaveLength(1 + 2);
  for (const path of ['audit-log', 'exports/audit-log.csv'])
    expect(await org.get(`/api/v1/${path}?${day}&timeZone=Mars/Olympus`)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('is not a known time zone') },
    });
});

test('viewers do not see it, and every export of it is an entry', async () => {
  const org = await api.newOwner();
  await add(org, 250, '1 hour', { subject: '=HYPERLINK("http://evil.test")' });
  const viewer = await api.signedIn(org.orgId, 'viewer');
  for (const path of ['/api/v1/audit-log', '/api/v1/exports/audit-log.csv'])
    expect((await viewer.get(path)).status).toBe(403);
  const { status, body, headers } = await org.get<string>('/api/v1/exports/audit-log.csv?action=a.b');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/csv');
  const lines = body.trim().split('\r\n');
  expect(lines).toHaveLength(251);
  expect(lines[0]).toBe('at,actor,actor id,api key,network,action,subject,details');
  expect(lines[1]).toContain(`"'=HYPERLINK`);
  const { items } = await entries('?action=audit-log.exported', org);
  expect(items).toHaveLength(1);
  expect(items[0]?.details).toEqual({ action: 'a.b' });
});

test('one organisation cannot take the exports of all others', async () => {
  const [greedy, other] = [await api.newOwner(), await api.newOwner()];
  const path = '/api/v1/exports/audit-log.csv';
  const { running, refused } = await api.database.db.transaction().execute(async (transaction) => {
    await sql`lock table audit_log in access exclusive mode`.execute(transaction);
    const running = Array.from({ length: EXPORTS_OF_ORGANISATION_MAX }, () => greedy.get<string>(path));
    await until('they run', () => api.gauge('requests_in_flight') === EXPORTS_OF_ORGANISATION_MAX);
    const refused = await greedy.get(path);
    return { running: [...running, other.get<string>(path)], refused };
  });
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual(Array(running.length).fill(200));
  expect((await greedy.get(path)).status).toBe(200);
});

test('signing in and out are entries', async () => {
  const email = 'signs@audit.test';
  const password = 'a long enough password';
  const send = (path: string, body: object, method = 'POST', token?: string) =>
    fetch(new URL(path, api.url), {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(method === 'DELETE' ? {} : { body: JSON.stringify(body) }),
    });
  await registerOrganisation(api, { email, password });
  const { token } = (await (await send('/api/v1/sessions', { email, password })).json()) as { token: string };
  const { token: second } = (await (await send('/api/v1/sessions', { email, password })).json()) as { token: string };
  expect((await send('/api/v1/sessions/current', {}, 'DELETE', token)).status).toBe(204);
  const log = await fetch(new URL('/api/v1/audit-log', api.url), { headers: { authorization: `Bearer ${second}` } });
  const { items } = (await log.json()) as { items: Entry[] };
  expect(items.map(({ action }) => action)).toEqual([
    'session.ended',
    'session.started',
    'session.started',
    'organisation.registered',
  ]);
});

/** From here on the client has seen what was written past it, too. */
async function entries(query: string, client = owner): Promise<{ items: Entry[]; nextCursor: string | null }> {
  expect((await client.send('POST', '/api/v1/notes', { title: 'moves the position' })).status).toBe(201);
  const { status, body } = await client.get<{ items: Entry[]; nextCursor: string | null }>(`/api/v1/audit-log${query}`);
  expect(status).toBe(200);
  return { ...body, items: body.items.filter(({ action }) => action !== 'note.written') };
}

async function add(
  { orgId }: ApiClient,
  count: number,
  ago: string,
  given: { action?: string; actorId?: number; subject?: string } = {},
): Promise<void> {
  const { action = 'a.b', actorId = null, subject = 'something' } = given;
  await sql`
    insert into audit_log (org_id, created_at, actor_id, action, subject)
    select ${orgId}::bigint, date_trunc('day', now()) + interval '12 hours' - ${ago}::interval, ${actorId}::bigint, ${action}, ${subject}
    from generate_series(1, ${count}::int)`.execute(api.database.db);
}
