import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePosition, type WalPosition } from '../../src/db/failover-position.ts';
import { etagOf, isAccepted, tagsSeen, versionsSeen } from '../../src/http/optimistic-concurrency.ts';
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

test('an ETag leads back to its version', () => {
  for (const version of [1, 42, 2_147_483_647])
    expect(versionsSeen({ 'if-match': etagOf(version) })).toEqual([version]);
});

test('a change without If-Match is refused: it could undo a change that its author has never seen', () => {
  expect(() => versionsSeen({})).toThrow(expect.objectContaining({ code: 'precondition_required' }));
});

test.each(['"seven"', '"07"', 'W/"7"', 'W/"7", "seven"', '""', '"*"', '"-7"', `"${'7'.repeat(30)}"`])(
  'a tag that we did not issue cannot be the current one: %s',
  (tag) => {
    expect(() => versionsSeen({ 'if-match': tag })).toThrow(expect.objectContaining({ code: 'changed_meanwhile' }));
  },
);

test.each(['', ' ', '7', '"7', '7"', '"7" "8"', '"7"8', 'w/"7"', 'W/7', '*, "7"', '**', ',', "'7'", '"7 8"'])(
  'what is not an If-Match is called so, instead of another version: %s',
  (header) => {
    expect(() => versionsSeen({ 'if-match': header })).toThrow(expect.objectContaining({ code: 'invalid' }));
  },
);

test('any tag of a list may be the current one, except for weak ones; a comma inside a tag is part of it', () => {
  const seen = (header: string) => versionsSeen({ 'if-match': header });
  expect(seen('"7", "8"')).toEqual([7, 8]);
  expect(seen(' , W/"6" ,"7",, "8" ,')).toEqual([7, 8]);
  expect(seen('"7,8","9"')).toEqual([9]);
  expect(tagsSeen({ 'if-match': '"a,b", W/"c", "d"' })).toEqual(['"a,b"', '"d"']);
});

test('a star accepts whatever there is', () => {
  expect(versionsSeen({ 'if-match': ' * ' })).toBe('any');
  expect(isAccepted(tagsSeen({ 'if-match': '*' }), '"anything"')).toBe(true);
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

test('a version that no row can have is only another version', async () => {
  const { id } = await written();
  for (const version of ['"0"', '"2147483648"', `"${'9'.repeat(15)}"`])
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

async function written(): Promise<{ id: number; etag: string }> {
  const { body, headers } = await owner.send<Note>('POST', '/api/v1/notes', { title: 'As written' });
  return { id: body.id, etag: headers.get('etag') as string };
}

function change(client: ApiClient, id: number, etag: string, body: { title: string }) {
  return client.send<Note & { code?: string }>('PATCH', `/api/v1/notes/${id}`, body, { 'if-match': etag });
}
