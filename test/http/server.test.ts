import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiClient, call } from '../api-client.ts';
import { until } from '../database.ts';
import { type RunningApi, runApi } from '../running-api.ts';

const NOTE = { title: 'Weekly', body: 'Hello' };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

test('a client that sends read-after back reads each of its writes at once, while the replica is in use', async () => {
  const before = await readsOf('replica');
  const isReplicaInUse = async () => (await readsOf('replica')) > before;
  // Where the machine is busy the replica may be late for all of the first forty.
  for (let n = 0; n < 40 || !(await isReplicaInUse()); n++) {
    const written = await owner.send<{ id: number }>('POST', '/api/v1/notes', { title: `Note ${n}` });
    const readAfter = written.headers.get('read-after') as string;
    expect(readAfter).toMatch(/^\d+:[0-9A-F]+\/[0-9A-F]+$/);
    const headers = { authorization: `Bearer ${owner.token}` };
    const path = `/api/v1/notes/${written.body.id}`;
    const [byHeader, byCookie] = await Promise.all([
      call(api.url, 'GET', path, { headers: { ...headers, 'read-after': readAfter } }),
      call(api.url, 'GET', path, {
        headers: { ...headers, cookie: `tardigrade_read_after=${encodeURIComponent(readAfter)}` },
      }),
    ]);
    expect(byHeader).toMatchObject({ status: 200, body: { title: `Note ${n}` } });
    expect(byCookie).toMatchObject({ status: 200, body: { title: `Note ${n}` } });
  }
});

test('a browser gets its position as a cookie, and a read does not change it', async () => {
  const written = await owner.send('POST', '/api/v1/notes', NOTE);
  const position = written.headers.get('read-after') as string;
  const cookie = written.headers.getSetCookie().find((line) => line.startsWith('tardigrade_read_after='));
  expect(cookie).toContain(`tardigrade_read_after=${position};`);
  expect(cookie).toMatch(/HttpOnly/);
  const read = await call(api.url, 'GET', '/api/v1/me', {
    headers: { cookie: `tardigrade_session=${owner.token}; tardigrade_read_after=${encodeURIComponent(position)}` },
  });
  expect(read.status).toBe(200);
  expect(read.headers.getSetCookie()).toEqual([]);
});

test.each(['nonsense', '4294967295:FFFFFFFF/FFFFFFFF', "0/0'; drop table users; --"])(
  'a position that we did not issue does no harm: the primary answers (%s)',
  async (position) => {
    const before = await readsOf('primary');
    const headers = { authorization: `Bearer ${owner.token}`, 'read-after': position };
    const answer = await call(api.url, 'GET', '/api/v1/notes?status=done', { headers });
    expect(answer).toMatchObject({ status: 200, body: { items: [] } });
    expect(await readsOf('primary')).toBe(before + 1);
  },
);

test.each(['nonsense', '4294967295:FFFFFFFF/FFFFFFFF', '1:FFFFFFFF/FFFFFFFF'])(
  'a browser that has such a position is given one that the primary has, and is answered by the replica again (%s)',
  async (wrong) => {
    const reading = async (cookie: string) => {
      const headers = {
        cookie: `tardigrade_session=${owner.token}; tardigrade_read_after=${encodeURIComponent(cookie)}`,
      };
      const answer = await call(api.url, 'GET', '/api/v1/notes?status=done', { headers });
      const set = answer.headers.getSetCookie().map((line) => /^tardigrade_read_after=([^;]+)/.exec(line)?.[1]);
      return decodeURIComponent(set[0] ?? cookie);
    };
    const given = await reading(wrong);
    expect(given).toMatch(/^\d+:[0-9A-F]+\/[0-9A-F]+$/);
    expect(given).not.toBe(wrong);
    const before = await readsOf('replica');
    await until('the replica answers', async () => {
      expect(await reading(given)).toBe(given);
      return (await readsOf('replica')) > before;
    });
  },
);

test('what is not a position is not repeated, by an answer that needs no database either', async () => {
  const sent: Record<string, string>[] = [{ 'read-after': 'nonsense' }, { cookie: 'tardigrade_read_after=nonsense' }];
  for (const headers of sent) {
    const answer = await call(api.url, 'GET', '/api/v1/me', { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('read-after')).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual([]);
  }
});

test.each(['role', 'orgId', 'org_id', 'isAdmin', 'id', 'status', 'version', 'createdAt'])(
  'a field that the caller may not set is refused, not ignored: %s',
  async (field) => {
    const created = await owner.send('POST', '/api/v1/notes', { ...NOTE, [field]: 1 });
    expect(created).toMatchObject({ status: 400, body: { code: 'invalid' } });
    const token = '1.1.AAAAAAAAAAAAAAAAAAAAAA';
    const confirmation = { token, organisation: 'A', name: 'A', password: 'a long enough password', [field]: 'owner' };
    const registered = await call(api.url, 'POST', '/api/v1/registrations/confirmations', {
      headers: {},
      body: confirmation,
    });
    expect(registered).toMatchObject({ status: 400, body: { code: 'invalid' } });
  },
);

test.each([
  '{"__proto__": {"role": "owner"}, "title": "a", "body": "a"}',
  '{"constructor": {"prototype": {"role": "owner"}}, "title": "a", "body": "a"}',
])('a body that tries to change the prototype is refused: %s', async (text) => {
  const answer = await owner.send('POST', '/api/v1/notes', text, { 'content-type': 'application/json' });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(({} as { role?: string }).role).toBeUndefined();
});

test('an unknown query parameter is refused, and so is one given twice', async () => {
  expect((await owner.get('/api/v1/notes?orgId=1')).status).toBe(400);
  expect((await owner.get('/api/v1/notes?limit=10&limit=20')).status).toBe(400);
});

test('health: alive, ready with its checks, and metrics for direct callers only', async () => {
  expect(await (await fetch(`${api.url}/livez`)).text()).toBe('ok\n');
  const ready = await fetch(`${api.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ ready: true });
  expect((await fetch(`${api.url}/metrics`)).status).toBe(200);
  expect((await fetch(`${api.url}/metrics`, { headers: { 'x-forwarded-for': '1.2.3.4' } })).status).toBe(404);
});

async function readsOf(server: 'primary' | 'replica'): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  return Number(new RegExp(`^tardigrade_reads_${server}_total\\{[^}]*\\} (\\d+)`, 'm').exec(text)?.[1]);
}
