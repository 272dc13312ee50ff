import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLinkToken } from '../../../src/mail/personal-link.ts';
import { start as startApi } from '../../../workers/api.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched } from './drafts.ts';

let on: TestDatabase;
let api: TestWorker;
let orgId: number;
let link: string;
let employeeId: number;

beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  api = await startWorker('api', startApi, { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '' });
});
afterAll(async () => {
  await api?.stop();
  await on.close();
});
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
  [employeeId = 0] = await addEmployees(on.db, orgId, 2, 'unsubscribe.test');
  const campaignId = await addLaunched(on.database, orgId);
  const reachOut = await on.db
    .insertInto('reach_outs')
    .values({ org_id: orgId, campaign_id: campaignId, employee_id: employeeId })
    .returning('id')
    .executeTakeFirstOrThrow();
  link = `${api.config.apiUrl}/u/${createLinkToken(SECRET_KEY, 'unsubscribe', { orgId, id: reachOut.id })}`;
});

const unsubscribed = async () =>
  (
    await on.db
      .selectFrom('employees')
      .where('org_id', '=', orgId)
      .where('unsubscribed_at', 'is not', null)
      .selectAll()
      .execute()
  ).map((row) => ({ id: row.id, at: row.unsubscribed_at }));

test('a mail scanner that follows the link unsubscribes nobody', async () => {
  for (const method of ['GET', 'HEAD']) expect((await fetch(link, { method })).status).toBe(200);
  expect(await unsubscribed()).toEqual([]);
});

test.each([
  ['what a mail program posts (RFC 8058)', { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }],
  ['the same as multipart/form-data', { body: new FormData() }],
  ['a form without a field', { body: new URLSearchParams() }],
  ['no body at all', {}],
  ['a body without a type', { body: new Blob(['List-Unsubscribe=One-Click']) }],
  ['a body that is not what its type says', { body: '{', headers: { 'content-type': 'application/json' } }],
])('one POST unsubscribes, and only this person: %s', async (_, init) => {
  const answer = await fetch(link, { method: 'POST', redirect: 'error', ...init });
  expect(answer.status).toBe(200);
  expect((await unsubscribed()).map((row) => row.id)).toEqual([employeeId]);
});

test('unsubscribing again changes nothing and is no error', async () => {
  await fetch(link, { method: 'POST' });
  const [first] = await unsubscribed();
  expect((await fetch(link, { method: 'POST' })).status).toBe(200);
  expect(await unsubscribed()).toEqual([first]);
});

test.each(['.', '%2E', ')', '%3E', '.%22', ',%20'])(
  'what mail programs take along behind the link does not matter: %s',
  async (tail) => {
    expect((await fetch(`${link}${tail}`)).status).toBe(200);
    expect((await fetch(`${link}${tail}`, { method: 'POST' })).status).toBe(200);
    expect((await unsubscribed()).map((row) => row.id)).toEqual([employeeId]);
  },
);

test('a link that was cut, or came twice, says what is wrong with it', async () => {
  const token = link.slice(link.lastIndexOf('/') + 1);
  for (const mangled of [link.slice(0, -1), `${link}${token}`, link.slice(0, -token.length)])
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(mangled, { method, headers: { accept: 'text/html' } });
      expect(answer.status, mangled).toBe(404);
      expect(await answer.text(), mangled).toContain('This link is not complete');
    }
  expect(await unsubscribed()).toEqual([]);
});

test("a check-in link, a changed link and another organisation's id unsubscribe nobody", async () => {
  const [org, reachOut, signature] = link.slice(link.lastIndexOf('/') + 1).split('.');
  const target = { orgId, id: Number.parseInt(reachOut as string, 36) };
  for (const token of [
    createLinkToken(SECRET_KEY, 'another purpose', target),
    `${org}.${(target.id + 1).toString(36)}.${signature}`,
    `${(orgId + 1).toString(36)}.${reachOut}.${signature}`,
    'nonsense',
  ])
    for (const method of ['GET', 'POST'])
      expect((await fetch(`${api.config.apiUrl}/u/${token}`, { method })).status).toBe(404);
  expect(await unsubscribed()).toEqual([]);
});
