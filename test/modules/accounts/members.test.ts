import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Db, Role } from '../../../src/db/schema.ts';
import { etagOf } from '../../../src/http/optimistic-concurrency.ts';
import { lockWebhooks } from '../../../src/modules/webhooks/endpoint-queries.ts';
import { isWaitingForLock, until, waitingForLock } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { actionsOf, addPerson, moveReadPosition, type Person } from './members.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

/** By somebody who has seen the role that they have now, unless it is another one. */
async function setRole(by: Person, of: Person, role: Role, seen?: Role) {
  const tag = etagOf(seen ?? (await roleOf(of)));
  return by.send('PATCH', `/api/v1/users/${of.userId}`, { role }, { 'if-match': tag });
}
const removal = (by: Person, of: Person) => by.send('DELETE', `/api/v1/users/${of.userId}`);

test('members are listed page by page, with their roles', async () => {
  const owner = await addPerson(api, 'owner');
  for (let n = 0; n < 4; n++) await addPerson(api, 'viewer', owner.orgId);
  await moveReadPosition(owner);
  const first = await owner.get<{ items: { id: number; role: string }[]; nextCursor: string }>('/api/v1/users?limit=3');
  expect(first.body.items.map(({ role }) => role)).toEqual(['owner', 'viewer', 'viewer']);
  const second = await owner.get<{ items: object[]; nextCursor: null }>(
    `/api/v1/users?limit=3&cursor=${first.body.nextCursor}`,
  );
  expect(second.body.items).toHaveLength(2);
  expect(second.body.nextCursor).toBeNull();
});

test('a new role holds from the next request on, and is in the log', async () => {
  const owner = await addPerson(api, 'owner');
  const other = await addPerson(api, 'viewer', owner.orgId);
  expect((await other.get('/api/v1/audit-log')).status).toBe(403);
  expect(await setRole(owner, other, 'admin')).toMatchObject({ status: 200, body: { role: 'admin' } });
  expect((await other.get('/api/v1/audit-log')).status).toBe(200);
  expect(await actionsOf(owner)).toEqual(['member.role-changed']);
});

test('of two who change the same member the second one is told, because they have seen another role', async () => {
  const owner = await addPerson(api, 'owner');
  const other = await addPerson(api, 'viewer', owner.orgId);
  expect(await setRole(owner, other, 'admin', 'viewer')).toMatchObject({ status: 200 });
  expect(await setRole(owner, other, 'owner', 'viewer')).toMatchObject({
    status: 412,
    body: { code: 'changed_meanwhile' },
  });
  expect(await roleOf(other)).toBe('admin');
  const blind = await owner.send('PATCH', `/api/v1/users/${other.userId}`, { role: 'owner' });
  expect(blind).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
});

const OWNERS_ONLY = 'Only an owner can make, change or remove an owner.';

test('admins neither make nor touch owners, and viewers change nobody', async () => {
  const owner = await addPerson(api, 'owner');
  const [admin, viewer] = [await addPerson(api, 'admin', owner.orgId), await addPerson(api, 'viewer', owner.orgId)];
  for (const refused of [
    setRole(admin, viewer, 'owner'),
    setRole(admin, admin, 'owner'),
    setRole(admin, owner, 'viewer'),
    removal(admin, owner),
  ])
    expect(await refused).toMatchObject({ status: 403, body: { detail: OWNERS_ONLY } });
  for (const refused of [setRole(viewer, admin, 'viewer'), removal(viewer, admin)])
    expect((await refused).status).toBe(403);
  expect((await setRole(admin, viewer, 'admin')).status).toBe(200);
  expect((await removal(admin, viewer)).status).toBe(204);
});

test('the last owner can neither leave nor become something else', async () => {
  const owner = await addPerson(api, 'owner');
  await addPerson(api, 'admin', owner.orgId);
  for (const refused of [setRole(owner, owner, 'admin'), removal(owner, owner)])
    expect(await refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('needs an owner') } });
});

test('of two owners who demote or remove each other at once, one stays owner', async () => {
  for (const act of [(by: Person, of: Person) => setRole(by, of, 'viewer'), removal, (by: Person) => removal(by, by)])
    for (let round = 0; round < 5; round++) {
      const first = await addPerson(api, 'owner');
      const second = await addPerson(api, 'owner', first.orgId);
      const answers = await Promise.all([act(first, second), act(second, first)]);
      expect(answers.map(({ status }) => status).filter((status) => status < 300)).toHaveLength(1);
      const owners = await api.database.db
        .selectFrom('users')
        .where('org_id', '=', first.orgId)
        .where('role', '=', 'owner')
        .select('id')
        .execute();
      expect(owners).toHaveLength(1);
    }
});

test('whoever is removed is signed out at once, everywhere, and is named in the log', async () => {
  const owner = await addPerson(api, 'owner');
  const leaving = await addPerson(api, 'admin', owner.orgId);
  const created = await leaving.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'script', scope: 'read' });
  expect(created.status).toBe(201);
  const withKey = () =>
    fetch(new URL('/api/v1/me', api.url), { headers: { authorization: `Bearer ${created.body.key}` } });
  expect((await withKey()).status).toBe(200);
  expect((await removal(owner, leaving)).status).toBe(204);
  expect((await leaving.get('/api/v1/me')).status).toBe(401);
  expect((await withKey()).status).toBe(401);
  const { body } = await owner.get<{ items: { subject: string }[] }>('/api/v1/audit-log?action=member.removed');
  expect(body.items[0]?.subject).toMatch(/^admin <admin-\w+@example\.test>$/);
});

const WEBHOOK = { url: 'https://hooks.example.com/', eventTypes: ['member.joined'] };
const ENDED = { status: 401, body: { detail: 'This session has ended. Sign in again.' } };
const CHANGED = {
  'made a viewer': (db: Db, id: number) => sql`update users set role = 'viewer' where id = ${id}`.execute(db),
  removed: (db: Db, id: number) => sql`delete from users where id = ${id}`.execute(db),
  'signed out': (db: Db, id: number) => sql`delete from sessions where user_id = ${id}`.execute(db),
  'signed in for too long': (db: Db, id: number) =>
    sql`update sessions set expires_at = now() where user_id = ${id}`.execute(db),
};

test.each([
  ['made a viewer', { status: 403, body: { detail: 'This needs the role admin; you are signed in as viewer.' } }],
  ['removed', ENDED],
  ['signed out', ENDED],
  ['signed in for too long', ENDED],
] as const)(
  'an admin who was %s through another process leaves nothing behind in the seconds until this one knows, and it knows then',
  async (change, refused) => {
    const owner = await addPerson(api, 'owner');
    for (const [path, body] of [
      ['invitations', { email: 'again@example.test', role: 'admin' }],
      ['api-keys', { name: 'script', scope: 'write' }],
      ['webhooks', WEBHOOK],
    ] as const) {
      const admin = await addPerson(api, 'admin', owner.orgId); // whom this process has just looked up
      await CHANGED[change](api.database.db, admin.userId);
      expect(await admin.send('POST', `/api/v1/${path}`, body)).toMatchObject(refused);
      expect((await admin.get('/api/v1/audit-log')).status).toBe(refused.status);
    }
  },
);

const LEFT = {
  removed: { by: removal, status: 204 },
  'made a viewer': { by: (owner: Person, admin: Person) => setRole(owner, admin, 'viewer'), status: 200 },
  'signed out': {
    by: (_owner: Person, admin: Person) => admin.send('DELETE', '/api/v1/sessions/current'),
    status: 204,
  },
};

test.each(['removed', 'made a viewer', 'signed out'] as const)(
  'nobody is %s before what they have begun is done',
  async (change) => {
    const { db } = api.database;
    const owner = await addPerson(api, 'owner');
    const admin = await addPerson(api, 'admin', owner.orgId);
    const begun = await db.transaction().execute(async (transaction) => {
      await lockWebhooks(transaction, owner.orgId);
      const making = admin.send('POST', '/api/v1/webhooks', WEBHOOK);
      await until('it waits for another webhook', () => isWaitingForLock(db));
      let isAnswered = false;
      const leaving = LEFT[change].by(owner, admin);
      leaving.finally(() => {
        isAnswered = true;
      });
      await until('it waits as well', async () => isAnswered || (await waitingForLock(db)) === 2);
      return { making, leaving, isAnswered };
    });
    expect(begun.isAnswered).toBe(false);
    expect((await begun.making).status).toBe(201);
    expect((await begun.leaving).status).toBe(LEFT[change].status);
  },
);

test('everybody may leave, viewers too', async () => {
  const owner = await addPerson(api, 'owner');
  const viewer = await addPerson(api, 'viewer', owner.orgId);
  expect((await removal(viewer, viewer)).status).toBe(204);
  expect((await viewer.get('/api/v1/me')).status).toBe(401);
});

async function roleOf({ userId }: Person): Promise<Role> {
  const { role } = await api.database.db
    .selectFrom('users')
    .where('id', '=', userId)
    .select('role')
    .executeTakeFirstOrThrow();
  return role;
}
