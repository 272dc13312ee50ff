import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePosition, type WalPosition } from '../../src/db/failover-position.ts';
import { tagsIn } from '../../src/http/optimistic-concurrency.ts';
import { ETAG_CHARS_MAX } from '../../src/limits.ts';
import type { ApiClient } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';

interface Note {
  readonly id: number;
  readonly title: string;
  readonly version: number;
}

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test.each(['', ' ', '7', '"7', '7"', '"7" "8"', '"7"8', 'w/"7"', 'W/7', '*, "7"', '**', ',', "'7'", '"7 8"'])(
  'what is not an If-Match is called so, instead of another version: %s',
  (header) => {
    expect(() => tagsIn('If-Match', header)).toThrow(expect.objectContaining({ code: 'invalid' }));
  },
);

test('any tag of a list may be the current one, except for weak ones; a comma inside a tag is part of it', () => {
  expect(tagsIn('If-Match', '"7", "8"')).toEqual(['"7"', '"8"']);
  expect(tagsIn('If-Match', ' , W/"6" ,"7",, "8" ,')).toEqual(['"7"', '"8"']);
  expect(tagsIn('If-Match', '"a,b", W/"c", "d"')).toEqual(['"a,b"', '"d"']);
  expect(tagsIn('If-Match', 'W/"7"')).toEqual([]);
});

test('a star accepts whatever there is', () => {
  expect(tagsIn('If-Match', ' * ')).toBe('any');
});

test('a list that is longer than any client needs is refused, without being read', () => {
  expect(() => tagsIn('If-Match', `${'"7", '.repeat(ETAG_CHARS_MAX)}"8"`)).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
});

test('of two people who edit the same version the second one is told, and neither change is lost', async () => {
  const { id, etag } = await written();
  const colleague = await api.signedIn(owner.orgId, 'admin');

  const first = await change(owner, id, etag, { title: 'The first' });
  expect(first.status).toBe(200);
  const second = await change(colleague, id, etag, { title: 'The second' });
  expect(second).toMatchObject({ status: 412, body: { code: 'changed_meanwhile', title: 'Precondition Failed' } });
  expect((await owner.get<Note>(`/api/v1/notes/${id}`)).body.title).toBe('The first');

  const again = await change(colleague, id, first.headers.get('etag') as string, { title: 'The second' });
  expect(again).toMatchObject({ status: 200, body: { title: 'The second', version: 3 } });
});

test('of many changes of one version at once exactly one is made', async () => {
  const { id, etag } = await written();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => change(owner, id, etag, { title: `Change ${n}` })),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(412)]);
  const kept = answers.find(({ status }) => status === 200);
  expect((await owner.get<Note>(`/api/v1/notes/${id}`)).body).toEqual(kept?.body);
});

test('a tag that no row can have is only another version', async () => {
  const { id } = await written();
  const strange = ['"seven"', '"07"', 'W/"1"', 'W/"1", "seven"', '""', '"*"', '"-7"', `"${'7'.repeat(30)}"`];
  for (const version of ['"0"', '"2147483648"', `"${'9'.repeat(15)}"`, ...strange])
    expect(await change(owner, id, version, { title: 'Blind' }), version).toMatchObject({ status: 412 });
});

test('a change is made when one of the tags is the current one, or with a star; a weak tag never is', async () => {
  const { id, etag } = await written();
  const titled = async (ifMatch: string, title: string) => (await change(owner, id, ifMatch, { title })).status;
  expect(await titled(`"999", ${etag}`, 'By a list')).toBe(200);
  expect(await titled(`W/"2", ${etag}`, 'Outdated')).toBe(412);
  expect(await titled('*', 'By a star')).toBe(200);
  expect((await owner.get<Note>(`/api/v1/notes/${id}`)).body).toMatchObject({ title: 'By a star', version: 3 });
  expect(await titled('3', 'Without quotes')).toBe(400);
  expect((await change(owner, 999_999, '*', { title: 'Nowhere' })).status).toBe(404);
});

test('without If-Match the answer is 428, says what to send, and nothing is changed', async () => {
  const { id, etag } = await written();
  const refused = await owner.send('PATCH', `/api/v1/notes/${id}`, { title: 'Blind' });
  expect(refused).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
  expect(refused.body).toMatchObject({ detail: expect.stringContaining('If-Match') });
  expect((await owner.get(`/api/v1/notes/${id}`)).headers.get('etag')).toBe(etag);
});

test('who is told that somebody else was faster reads next what they wrote, however far the replica is behind', async () => {
  const { id, etag } = await written();
  const colleague = await api.signedIn(owner.orgId, 'admin');
  const first = await change(owner, id, etag, { title: 'The first' });
  const second = await change(colleague, id, etag, { title: 'The second' });
  const positionOf = ({ headers }: { headers: Headers }) => headers.get('read-after') as WalPosition;
  expect(positionOf(second)).toMatch(/^\d+:/);
  expect(parsePosition(positionOf(second))).toBeGreaterThanOrEqual(parsePosition(positionOf(first)));
});

test('a thing whose answer the ETag covers is sent again only when it has changed', async () => {
  const { id, etag } = await written();
  const read = (ifNoneMatch: string) => owner.get<Note>(`/api/v1/notes/${id}`, { 'if-none-match': ifNoneMatch });
  for (const same of [etag, `W/${etag}`, `"999", ${etag}`, '*']) {
    const answer = await read(same);
    expect(answer, same).toMatchObject({ status: 304, body: '' });
    expect([answer.headers.get('etag'), answer.headers.get('content-type')]).toEqual([etag, null]);
  }
  for (const other of ['"999"', etag.replaceAll('"', ''), 'W/', '']) expect((await read(other)).status).toBe(200);
  await change(owner, id, etag, { title: 'Another' });
  expect(await read(etag)).toMatchObject({ status: 200, body: { title: 'Another' } });
});

test('a change that asks for another version than the one that is there, by If-None-Match, is made to any other', async () => {
  const { id, etag } = await written();
  const change = (ifNoneMatch: string) =>
    owner.send<{ detail: string }>(
      'PATCH',
      `/api/v1/notes/${id}`,
      { title: 'Changed' },
      { 'if-match': etag, 'if-none-match': ifNoneMatch },
    );
  const refused = await change(`W/${etag}`);
  expect(refused).toMatchObject({ status: 412, body: { detail: expect.stringContaining('If-None-Match') } });
  expect(await change('7')).toMatchObject({ status: 400, body: { detail: expect.stringContaining('If-None-Match') } });
  expect((await change('"no-such-version"')).status).toBe(200);
});

test('a GET does not look at If-Match: it can undo nothing', async () => {
  const { id } = await written();
  expect((await owner.get(`/api/v1/notes/${id}`, { 'if-match': '"999"' })).status).toBe(200);
});

async function written(): Promise<{ id: number; etag: string }> {
  const { body, headers } = await owner.send<Note>('POST', '/api/v1/notes', { title: 'As written' });
  return { id: body.id, etag: headers.get('etag') as string };
}

function change(client: ApiClient, id: number, etag: string, body: { title: string }) {
  return client.send<Note & { code?: string }>('PATCH', `/api/v1/notes/${id}`, body, { 'if-match': etag });
}
