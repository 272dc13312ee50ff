import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Db } from '../../../src/db/schema.ts';
import { lockEndpoint } from '../../../src/modules/webhooks/endpoint-queries.ts';
import { disableEndpoint } from '../../../src/modules/webhooks/event-queries.ts';
import { WEBHOOK_SECRET_OVERLAP_MS, WEBHOOKS_MAX } from '../../../src/modules/webhooks/limits.ts';
import { createWebhookBox, openSecret } from '../../../src/modules/webhooks/secrets.ts';
import type { ApiClient } from '../../api-client.ts';
import { isWaitingForLock, until } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY } from '../../worker.ts';

interface Endpoint {
  readonly id: number;
  readonly url: string;
  readonly eventTypes: string[];
  readonly version: number;
  readonly disabledAt: string | null;
  readonly disabledBecause: string | null;
  readonly previousSecretUntil: string | null;
  readonly secret?: string;
}
interface Delivery {
  readonly id: number;
  readonly messageId: string;
  readonly status: string;
  readonly attempts: number;
}
type Page = { items: Delivery[]; nextCursor: string | null };

const URL_OF_CUSTOMER = 'https://hooks.example.com/in?key=1';
const NEW = { url: URL_OF_CUSTOMER, eventTypes: ['note.written'] };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  owner = await api.newOwner();
});

const list = async (client = owner) => (await client.get<{ items: Endpoint[] }>('/api/v1/webhooks')).body.items;
const create = (given: object = NEW, client = owner) => client.send<Endpoint>('POST', '/api/v1/webhooks', given);
const change = ({ id, version }: Endpoint, body: object, client = owner) =>
  client.send<Endpoint>('PATCH', `/api/v1/webhooks/${id}`, body, { 'if-match': `"${version}"` });
const sendTest = (id: number) => owner.send<Delivery>('POST', `/api/v1/webhooks/${id}/test`);
const deliveries = async (id: number, query = '') =>
  (await owner.get<Page>(`/api/v1/webhooks/${id}/deliveries${query}`)).body;
const actions = async () => {
  const { body } = await owner.get<{ items: { action: string; subject: string }[] }>('/api/v1/audit-log');
  return body.items.map(({ action, subject }) => `${action} ${subject}`);
};

test('a webhook is created with a secret that is shown once, and stored sealed', async () => {
  const { status, body } = await create({ ...NEW, description: '  Our \n CRM ' });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    url: URL_OF_CUSTOMER,
    description: 'Our CRM',
    eventTypes: ['note.written'],
    disabledAt: null,
  });
  expect(body.secret).toMatch(/^whsec_[\w+/]{43}=$/);
  const { secret: _, ...shown } = body;
  expect(await list()).toEqual([shown]);
  const { sealed_secret } = await stored(body.id);
  expect(sealed_secret.includes(Buffer.from(body.secret?.slice(6) ?? '', 'base64'))).toBe(false);
  expect(openSecret(createWebhookBox(SECRET_KEY), owner.orgId, sealed_secret)).toBe(body.secret);
  expect(openSecret(createWebhookBox(SECRET_KEY), owner.orgId + 1, sealed_secret)).toBeUndefined();
  expect(await actions()).toEqual([`webhook.created ${URL_OF_CUSTOMER}`]);
});

test.each([
  ['http://hooks.example.com/', 'does not begin with https://'],
  ['https://169.254.169.254/latest', 'leads to an address that is not public'],
  ['https://2130706433/', 'contains an IP address that is not written in its usual form'],
  ['https://ada:secret@hooks.example.com/', 'contains a user name or a password'],
  ['https://hooks.example.com:22/', 'has a port other than 443 and 8443'],
  ['https://redis/', 'has a name without a domain'],
])('%s is refused in words, also later', async (url, fault) => {
  const refused = { status: 400, body: { code: 'invalid', detail: `This address cannot be called: it ${fault}.` } };
  expect(await create({ ...NEW, url })).toMatchObject(refused);
  expect(await change((await create()).body, { url })).toMatchObject(refused);
});

test('only events that a module has declared can be listened to', async () => {
  const { body } = await owner.get<{ types: { type: string; means: string; example: object }[] }>(
    '/api/v1/webhook-event-types',
  );
  expect(body.types).toContainEqual({
    type: 'note.written',
    means: 'Somebody has written a note.',
    example: { noteId: 3 },
  });
  expect(body.types.map(({ type }) => type)).toContain('member.joined');
  expect(await create({ ...NEW, eventTypes: ['note.written', 'note.read'] })).toMatchObject({
    status: 400,
    body: { detail: 'note.read is not a type of event: see GET /api/v1/webhook-event-types.' },
  });
  expect((await create({ ...NEW, eventTypes: [] })).status).toBe(400);
});

test('an organisation has a limited number of them', async () => {
  const answers = await Promise.all(Array.from({ length: WEBHOOKS_MAX + 3 }, () => create()));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(WEBHOOKS_MAX);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(3);
  expect(await list()).toHaveLength(WEBHOOKS_MAX);
});

test('a change needs the version that was seen, and leaves what it does not name', async () => {
  const { body } = await create();
  expect((await owner.send('PATCH', `/api/v1/webhooks/${body.id}`, { description: 'x' })).status).toBe(428);
  const changed = await change(body, { eventTypes: ['note.written', 'member.joined', 'note.written'] });
  expect(changed).toMatchObject({
    status: 200,
    body: { url: URL_OF_CUSTOMER, eventTypes: ['member.joined', 'note.written'] },
  });
  expect(changed.headers.get('etag')).toBe(`"${changed.body.version}"`);
  expect((await change(body, { description: 'late' })).status).toBe(412);
});

test('of people who rotate the secret of one version at once one gets a new secret; a deletion of before does nothing', async () => {
  const { body, headers } = await create();
  const seen = { 'if-match': headers.get('etag') as string };
  const rotate = () => owner.send('POST', `/api/v1/webhooks/${body.id}/rotate-secret`, undefined, seen);
  const answers = await Promise.all([rotate(), rotate(), rotate()]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
  expect((await owner.send('DELETE', `/api/v1/webhooks/${body.id}`, undefined, seen)).status).toBe(412);
  const now = (await owner.get(`/api/v1/webhooks/${body.id}`)).headers.get('etag') as string;
  expect(answers.find(({ status }) => status === 200)?.headers.get('etag')).toBe(now);
  expect((await owner.send('DELETE', `/api/v1/webhooks/${body.id}`, undefined, { 'if-match': now })).status).toBe(204);
});

test('somebody disables it, which gives up the deliveries that wait, and enables it again', async () => {
  const { body } = await create();
  await sendTest(body.id);
  const off = await change(body, { enabled: false });
  expect(off.body).toMatchObject({ disabledBecause: 'person', disabledAt: expect.stringMatching(/Z$/) });
  expect((await deliveries(body.id)).items).toMatchObject([
    { status: 'dead', lastError: 'The endpoint was disabled.' },
  ]);
  expect(await sendTest(body.id)).toMatchObject({
    status: 409,
    body: { detail: 'This webhook is disabled: enable it first.' },
  });
  expect((await owner.send('POST', `/api/v1/webhooks/${body.id}/replay`)).status).toBe(409);
  const on = await change(off.body, { enabled: true });
  expect(on.body).toMatchObject({ disabledAt: null, disabledBecause: null });
  expect((await sendTest(body.id)).status).toBe(202);
});

test.each([
  ['disabled', 409],
  ['deleted', 404],
])('no delivery is left waiting for a webhook that is %s meanwhile', async (change, status) => {
  const { id } = (await create()).body;
  const { db } = api.database;
  const sent = await db.transaction().execute(async (transaction) => {
    if (change === 'deleted') await sql`delete from webhook_endpoints where id = ${id}`.execute(transaction);
    else await disableEndpoint(transaction, owner.orgId, id, 'person');
    const sending = sendTest(id);
    await until('the change is waited for', () => isWaitingForLock(db));
    return { sending };
  });
  expect((await sent.sending).status).toBe(status);
  const waiting = db.selectFrom('webhook_deliveries').where('org_id', '=', owner.orgId).select('status');
  expect(await waiting.execute()).toEqual([]);
});

test('another address lets it begin anew', async () => {
  const { body } = await create();
  await sendTest(body.id);
  await sql`update webhook_endpoints set failures = 9, failing_since = now(), held_until = now() + interval '1 hour', due_at = now() + interval '1 hour'
    where org_id = ${owner.orgId}`.execute(api.database.db);
  await change(body, { url: 'https://hooks.example.com/other' });
  const { failures, held_until, due_at } = await stored(body.id);
  expect([failures, held_until, Date.parse(due_at ?? '') <= Date.now()]).toEqual([0, null, true]);
});

test('a new secret replaces the old one, which signs for a day as well', async () => {
  const { body } = await create();
  const rotated = await owner.send<Endpoint>('POST', `/api/v1/webhooks/${body.id}/rotate-secret`);
  expect(rotated.status).toBe(200);
  expect(rotated.body.secret).not.toBe(body.secret);
  const leftMs = Date.parse(rotated.body.previousSecretUntil ?? '') - Date.now();
  expect(Math.abs(leftMs - WEBHOOK_SECRET_OVERLAP_MS)).toBeLessThan(60_000);
  const { sealed_secret, previous_sealed_secret } = await stored(body.id);
  const box = createWebhookBox(SECRET_KEY);
  expect(openSecret(box, owner.orgId, sealed_secret)).toBe(rotated.body.secret);
  expect(openSecret(box, owner.orgId, previous_sealed_secret ?? Buffer.alloc(0))).toBe(body.secret);
});

test('a test event is a delivery like any other', async () => {
  const { body } = await create();
  const sent = await sendTest(body.id);
  expect(sent).toMatchObject({ status: 202, body: { eventType: 'webhook.test', status: 'waiting', attempts: 0 } });
  expect((await deliveries(body.id)).items).toEqual([sent.body]);
  const { due_at } = await stored(body.id);
  expect(Date.parse(due_at ?? '')).toBeLessThanOrEqual(Date.now());
});

test('deliveries are listed page by page, newest first, and by status', async () => {
  const { body } = await create();
  const ids: number[] = [];
  for (let index = 0; index < 5; index++) ids.unshift((await sendTest(body.id)).body.id);
  await sql`update webhook_deliveries set status = 'dead', due_at = null where id = any(${[ids[1], ids[3]]}::bigint[])`.execute(
    api.database.db,
  );
  const first = await deliveries(body.id, '?limit=3');
  const second = await deliveries(body.id, `?limit=3&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
  expect(second.nextCursor).toBeNull();
  await owner.send('POST', `/api/v1/webhooks/${body.id}/test`); // so that reads have seen the change above
  expect((await deliveries(body.id, '?status=dead')).items.map(({ id }) => id)).toEqual([ids[1], ids[3]]);
});

describe('a delivery that was given up', () => {
  const giveUp = (db: Db = api.database.db) =>
    sql`update webhook_deliveries set status = 'dead', due_at = null, attempts = 8 where org_id = ${owner.orgId}`.execute(
      db,
    );

  test('is made again, with the same message id', async () => {
    const { body } = await create();
    const { body: sent } = await sendTest(body.id);
    await giveUp();
    const replayed = await owner.send<Delivery>('POST', `/api/v1/webhook-deliveries/${sent.id}/replay`);
    expect(replayed).toMatchObject({
      status: 200,
      body: { id: sent.id, messageId: sent.messageId, status: 'waiting', attempts: 0 },
    });
    expect((await owner.send('POST', `/api/v1/webhook-deliveries/${sent.id}/replay`)).status).toBe(200);
    expect((await actions()).filter((one) => one.startsWith('webhook.replayed'))).toHaveLength(1);
  });

  test('is made again although it was still waiting when that was asked for', async () => {
    const { body } = await create();
    const { body: sent } = await sendTest(body.id);
    const { db } = api.database;
    const asked = await db.transaction().execute(async (transaction) => {
      await lockEndpoint(transaction, owner.orgId, body.id); // as the last try does
      const replaying = owner.send<Delivery>('POST', `/api/v1/webhook-deliveries/${sent.id}/replay`);
      await until('the last try is waited for', () => isWaitingForLock(db));
      await giveUp(transaction);
      return { replaying };
    });
    expect(await asked.replaying).toMatchObject({ status: 200, body: { status: 'waiting', attempts: 0 } });
  });

  test('is made again together with all others', async () => {
    const { body } = await create();
    for (let index = 0; index < 3; index++) await sendTest(body.id);
    await giveUp();
    const replayed = await owner.send('POST', `/api/v1/webhooks/${body.id}/replay`);
    expect(replayed).toMatchObject({ status: 200, body: { replayed: 3 } });
    expect((await deliveries(body.id)).items.map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting']);
    expect((await owner.send('POST', `/api/v1/webhooks/${body.id}/replay`)).body).toEqual({ replayed: 0 });
  });
});

test('a deleted webhook is gone, with its deliveries', async () => {
  const { body } = await create();
  const { body: sent } = await sendTest(body.id);
  expect((await owner.send('DELETE', `/api/v1/webhooks/${body.id}`)).status).toBe(204);
  expect(await list()).toEqual([]);
  expect((await owner.get(`/api/v1/webhooks/${body.id}/deliveries`)).status).toBe(404);
  expect((await owner.send('POST', `/api/v1/webhook-deliveries/${sent.id}/replay`)).status).toBe(404);
  expect((await owner.send('DELETE', `/api/v1/webhooks/${body.id}`)).status).toBe(404);
  expect(await actions()).toEqual(
    ['webhook.deleted', 'webhook.tested', 'webhook.created'].map((action) => `${action} ${URL_OF_CUSTOMER}`),
  );
});

test('an admin may do all of it, a viewer sees nothing of it', async () => {
  const [admin, viewer] = [await api.signedIn(owner.orgId, 'admin'), await api.signedIn(owner.orgId, 'viewer')];
  expect((await create(NEW, admin)).status).toBe(201);
  expect((await create(NEW, viewer)).status).toBe(403);
  expect((await viewer.get('/api/v1/webhooks')).status).toBe(403);
});

test('a key reads deliveries and replays them, and makes no webhook that would outlive it', async () => {
  const { body: key } = await owner.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'key', scope: 'write' });
  const { body } = await create();
  const headers = { authorization: `Bearer ${key.key}` };
  expect((await owner.send('POST', '/api/v1/webhooks', NEW, headers)).status).toBe(403);
  expect((await owner.send('POST', `/api/v1/webhooks/${body.id}/rotate-secret`, undefined, headers)).status).toBe(403);
  expect((await owner.send('DELETE', `/api/v1/webhooks/${body.id}`, undefined, headers)).status).toBe(403);
  expect((await owner.send('POST', `/api/v1/webhooks/${body.id}/test`, undefined, headers)).status).toBe(202);
  expect((await owner.send('POST', `/api/v1/webhooks/${body.id}/replay`, undefined, headers)).status).toBe(200);
});

test('a repeated request with an Idempotency-Key gets the same webhook, with its secret', async () => {
  const headers = { 'idempotency-key': 'once' };
  const first = await owner.send<Endpoint>('POST', '/api/v1/webhooks', NEW, headers);
  const again = await owner.send<Endpoint>('POST', '/api/v1/webhooks', NEW, headers);
  expect(again.body).toEqual(first.body);
  expect(await list()).toHaveLength(1);
});

function stored(id: number) {
  return api.database.db.selectFrom('webhook_endpoints').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
}
