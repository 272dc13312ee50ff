import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePosition, type WalPosition } from '../../src/db/failover-position.ts';
import { etagOf, versionSeen } from '../../src/http/optimistic-concurrency.ts';
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
  for (const version of [1, 42, 2_147_483_647]) expect(versionSeen({ 'if-match': etagOf(version) })).toBe(version);
});

test('a change without If-Match is refused: it could undo a change that its author has never seen', () => {
  expect(() => versionSeen({})).toThrow(expect.objectContaining({ code: 'precondition_required' }));
});

test.each(['7', '"seven"', 'W/"7"', '"7", "8"', '""', '*', '"-7"', `"${'7'.repeat(30)}"`])(
  'a tag that we did not issue cannot be the current one: %s',
  (tag) => {
    expect(() => versionSeen({ 'if-match': tag })).toThrow(expect.objectContaining({ code: 'changed_meanwhile' }));
  },
);

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
