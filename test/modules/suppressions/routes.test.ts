import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIL_REASON_CHARS_MAX } from '../../../src/limits.ts';
import { createReference } from '../../../src/mail/mail-reference.ts';
import type { MailFeedback, Module } from '../../../src/modules/faces.ts';
import type { ApiClient } from '../../api-client.ts';
import { until } from '../../database.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY } from '../../worker.ts';

interface Suppression {
  readonly id: number;
  readonly address: string;
  readonly reason: string;
  readonly detail: string;
  readonly liftedAt: string | null;
  readonly liftedBy: string | null;
}
type Page = { items: Suppression[]; nextCursor: string | null };

const KEY = randomBytes(32);
const LAST_ROW = 100;

/** A module that sends letters, and notes what is reported about each once. */
const reported = new Set<string>();
const feedback: MailFeedback = {
  kind: 'letter',
  async record(_db, { orgId, id }, { kind }) {
    const report = `${kind} ${orgId} ${id}`;
    if (reported.has(report) || id > LAST_ROW) return undefined;
    reported.add(report);
    return `reader-${id}@letters.test`;
  },
};
const LETTERS: Module = { name: 'letters', feedback: async () => ({ feedback }) };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi({ MAIL_WEBHOOK_SECRET: `whsec_${KEY.toString('base64')}` }, [...TEST_MODULES, LETTERS]);
  owner = await api.newOwner();
});
afterAll(() => api.stop());

const list = async (client: ApiClient, query = '') =>
  (await client.get<Page>(`/api/v1/suppressions${query}`)).body.items;
const add = (client: ApiClient, address: string) =>
  client.send<Suppression>('POST', '/api/v1/suppressions', { address });
const lift = (client: ApiClient, id: number) => client.send<Suppression>('POST', `/api/v1/suppressions/${id}/lift`);

test('an address is suppressed by hand, however it is written, and only once', async () => {
  const client = await api.newOwner();
  const added = await add(client, '  Ada@BÜCHER.test ');
  expect(added).toMatchObject({
    status: 201,
    body: { address: 'ada@xn--bcher-kva.test', reason: 'person', detail: 'owner', liftedAt: null, liftedBy: null },
  });
  expect((await add(client, 'ada@bücher.test')).body).toEqual(added.body);
  expect(await list(client)).toEqual([added.body]);
});

test('what is not an address is refused in words', async () => {
  const { status, body } = await owner.send<{ detail: string }>('POST', '/api/v1/suppressions', {
    address: 'a,b@x.test',
  });
  expect(status).toBe(400);
  expect(body.detail).toMatch(/^This is not an email address: it contains a comma/);
});

test('a lifted address stays in the list, with who lifted it; it can be suppressed again', async () => {
  const client = await api.newOwner();
  const { id } = (await add(client, 'back@x.test')).body;
  const admin = await api.signedIn(client.orgId, 'admin');
  expect(await lift(admin, id)).toMatchObject({
    status: 200,
    body: { id, liftedBy: 'admin', liftedAt: expect.stringMatching(/Z$/) },
  });
  expect((await lift(client, id)).body.liftedBy).toBe('admin');
  const again = (await add(client, 'back@x.test')).body;
  expect(again.id).not.toBe(id);
  expect((await list(client)).map((one) => [one.id, one.liftedBy])).toEqual([
    [again.id, null],
    [id, 'admin'],
  ]);
});

test('the list goes page by page, newest first, and by its beginning in order of address', async () => {
  const client = await api.newOwner();
  for (const name of ['b1', 'a2', 'b0', 'b2']) await add(client, `${name}@pages.test`);
  const names = (items: readonly Suppression[]) => items.map(({ address }) => address.split('@')[0]);
  for (const [query, expected] of [
    ['limit=3', ['b2', 'b0', 'a2', 'b1']],
    ['limit=2&search=B', ['b0', 'b1', 'b2']],
  ] as const) {
    const first = (await client.get<Page>(`/api/v1/suppressions?${query}`)).body;
    const second = (await client.get<Page>(`/api/v1/suppressions?${query}&cursor=${first.nextCursor}`)).body;
    expect([...names(first.items), ...names(second.items)]).toEqual(expected);
    expect(second.nextCursor).toBeNull();
  }
});

test('an address is found as it is written, in letters of its domain that it is not kept in', async () => {
  const client = await api.newOwner();
  const { id } = (await add(client, 'jo@münchen.test')).body;
  expect((await list(client, `?search=${encodeURIComponent('jo@MÜNCHEN.test')}`)).map((one) => one.id)).toEqual([id]);
});

test('a viewer sees the list and changes nothing', async () => {
  const viewer = await api.signedIn(owner.orgId, 'viewer');
  const { id } = (await add(owner, 'seen@x.test')).body;
  const seen = async () => (await list(viewer, '?search=seen')).map((one) => one.id);
  await expect.poll(seen).toEqual([id]); // what others write is seen when the replica has it
  expect((await add(viewer, 'mine@x.test')).status).toBe(403);
  expect((await lift(viewer, id)).status).toBe(403);
});

describe('mail events', () => {
  type Event = { type: string; reference: string; permanent?: boolean; reason?: string };
  const referenceOf = (orgId: number, id: number, kind = 'letter') =>
    createReference(SECRET_KEY, { kind, target: { orgId, id } });

  function send(events: Event[], { key = KEY, at = Date.now() } = {}) {
    const body = JSON.stringify({ events });
    const timestamp = String(Math.floor(at / 1_000));
    const signature = createHmac('sha256', key).update(`msg_1.${timestamp}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    };
    return fetch(`${api.url}/api/v1/mail-events`, { method: 'POST', body, headers });
  }

  test('a hard bounce and a complaint suppress the address in their organisation, a soft bounce does not', async () => {
    const client = await api.newOwner();
    const answer = await send([
      {
        type: 'bounce',
        reference: `<${referenceOf(client.orgId, 1)}@acme.test>`,
        permanent: true,
        reason: '550 5.1.1 gone',
      },
      { type: 'bounce', reference: referenceOf(client.orgId, 2), reason: '452 4.2.2 full' },
      { type: 'complaint', reference: referenceOf(client.orgId, 3) },
    ]);
    expect([answer.status, await answer.json()]).toEqual([200, { taken: 3, ignored: 0 }]);
    const items = await until('the replica has them', async () => {
      const found = await list(client);
      return found.length === 2 ? found : undefined;
    });
    expect(items).toMatchObject([
      { address: 'reader-3@letters.test', reason: 'complaint', detail: 'reported by the mail provider' },
      { address: 'reader-1@letters.test', reason: 'bounce', detail: '550 5.1.1 gone' },
    ]);
    expect(await list(await api.newOwner())).toEqual([]);
  });

  test('the same event again changes nothing, not even after a person has lifted the suppression', async () => {
    const client = await api.newOwner();
    const event = { type: 'bounce', reference: referenceOf(client.orgId, 4), permanent: true };
    expect(await (await send([event])).json()).toEqual({ taken: 1, ignored: 0 });
    const [first] = await until('the replica has it', async () => {
      const found = await list(client);
      return found.length === 1 ? found : undefined;
    });
    await lift(client, first?.id ?? 0);
    expect(await (await send([event])).json()).toEqual({ taken: 0, ignored: 1 });
    expect((await list(client)).filter(({ liftedAt }) => liftedAt === null)).toEqual([]);
  });

  test('events about mails that nobody sent are ignored', async () => {
    const { orgId } = owner;
    const answer = await send([
      { type: 'bounce', reference: 'letter.1.1.000000000000000000000000', permanent: true },
      { type: 'bounce', reference: referenceOf(orgId, 5, 'parcel'), permanent: true },
      { type: 'bounce', reference: referenceOf(orgId, LAST_ROW + 1), permanent: true },
      { type: 'complaint', reference: 'someone@else.test' },
    ]);
    expect([answer.status, await answer.json()]).toEqual([200, { taken: 0, ignored: 4 }]);
  });

  test.each([
    ['with another key', { key: randomBytes(32) }],
    ['of yesterday', { at: Date.now() - 86_400_000 }],
  ])('a call %s is refused and changes nothing', async (_, change) => {
    const event = { type: 'bounce', reference: referenceOf(owner.orgId, 6), permanent: true };
    expect((await send([event], change)).status).toBe(401);
    expect(reported.has(`bounce ${owner.orgId} 6`)).toBe(false);
  });

  test.each<[string, Event[]]>([
    ['no events', []],
    ['too many events', Array.from({ length: 11 }, () => ({ type: 'complaint', reference: 'x' }))],
    ['an unknown type', [{ type: 'opened', reference: 'x' }]],
    ['a reason without an end', [{ type: 'complaint', reference: 'x', reason: 'x'.repeat(MAIL_REASON_CHARS_MAX + 1) }]],
  ])('%s are not a call', async (_, events) => {
    expect((await send(events)).status).toBe(400);
  });
});

test('without a secret no mail events are taken', async () => {
  const other = await runApi();
  const body = JSON.stringify({ events: [{ type: 'complaint', reference: 'x' }] });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${other.url}/api/v1/mail-events`, { method: 'POST', body, headers });
  expect(answer.status).toBe(404);
  await other.stop();
});
