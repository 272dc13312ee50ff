import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCaller } from '../../../src/db/read-write-split.ts';
import type { Role } from '../../../src/db/schema.ts';
import { NO_PASSWORD } from '../../../src/http/password-hashing.ts';
import { networksOf } from '../../../src/http/ssrf-guard.ts';
import { changeEndpoint } from '../../../src/modules/webhooks/endpoints.ts';
import { nextNotice } from '../../../src/modules/webhooks/notice-queries.ts';
import { createWebhookBox } from '../../../src/modules/webhooks/secrets.ts';
import { turnOffEndpoint } from '../../../src/modules/webhooks/turning-off.ts';
import { announceEvent } from '../../../src/modules/webhooks/webhooks.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { mailsTo, readMail } from '../../mails.ts';
import { TEST_MODULES } from '../../modules.ts';
import { addOrganisation, addSignedIn } from '../../organisation.ts';
import { openReceiver } from '../../webhook-receiver.ts';
import { emptyRedis, SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { addEndpoint } from './endpoint.ts';

const URL_WITH_TOKEN = 'https://hooks.example.com/in?token=s3cret';

let on: TestDatabase;
let orgId: number;
/** Of this run alone: other tests mail to the same server. */
let domain: string;
let mailer: TestWorker | undefined;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  await emptyRedis();
  orgId = await addOrganisation(on.db, 'Acme <&> Sons');
  domain = `org-${randomBytes(6).toString('hex')}.test`;
});
afterEach(async () => {
  await mailer?.stop();
  mailer = undefined;
});

test('the owners hear that their webhook was turned off, each once, with the reason and what to do', async () => {
  await addUser('one', 'owner');
  await addUser('bounce-two', 'owner'); // refuses all mail, which holds up nobody
  await addUser('three', 'owner');
  await addUser('admin', 'admin');
  const receiver = await openReceiver(410);
  const { id } = await addEndpoint(on, orgId, receiver.url);
  await on.database.write(orgId, (transaction) =>
    announceEvent(transaction, { orgId, type: 'note.written', data: { noteId: 1 } }),
  );
  await startTheMailer();
  await until(
    'all have been told',
    async () => (await untold(id))?.disabled === true && (await untold(id))?.count === 0,
  );
  const mails = await mailsTo(domain);
  expect(mails.map(({ to }) => to).toSorted()).toEqual([`one@${domain}`, `three@${domain}`]);
  const { subject, text, html } = await readMail(mails[0]?.id ?? 0);
  expect(subject).toBe(`Your webhook to ${new URL(receiver.url).host} was turned off`);
  expect(text).toContain('answered an event with 410 Gone');
  expect(text).toContain('The last thing that went wrong: The answer was 410');
  expect(text).toContain(`/#/settings/webhooks/${id}`);
  expect(text).toContain('send the failed deliveries again');
  expect(html).toContain('Acme &#60;&#38;&#62; Sons');
});

test('a notice whose job was lost is mailed by the sweep', async () => {
  const owner = await addUser('olga', 'owner');
  const { id } = await addEndpoint(on, orgId, URL_WITH_TOKEN);
  await sql`update webhook_endpoints set disabled_at = now() - interval '5 minutes', disabled_because = 'failing',
    owners_to_tell = array[${owner}::bigint] where id = ${id}`.execute(on.db);
  await startTheMailer();
  const [mail] = await until('the mail is there', async () => {
    const found = await mailsTo(`olga@${domain}`);
    return found.length > 0 ? found : undefined;
  });
  const { text } = await readMail(mail?.id ?? 0);
  expect(text).toContain('hooks.example.com has not accepted a single event for 5 days.');
  expect(text).not.toContain('s3cret');
  await until('it is noted', async () => (await untold(id))?.count === 0);
});

test('nobody is told of what was rolled back', async () => {
  await addUser('olga', 'owner');
  const { id } = await addEndpoint(on, orgId, URL_WITH_TOKEN);
  const failing = on.database.write(orgId, async (transaction) => {
    await turnOffEndpoint(transaction, { orgId, id, url: URL_WITH_TOKEN }, 'backlog');
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  expect(await untold(id)).toEqual({ disabled: false, count: 0 });
  expect(await on.db.selectFrom('outbox').where('org_id', '=', orgId).selectAll().execute()).toEqual([]);
});

test('nobody is told of a webhook that a person has disabled, or has enabled again meanwhile', async () => {
  await addUser('olga', 'owner');
  const actor = await addSignedIn(on.db, orgId);
  const { id } = await addEndpoint(on, orgId, URL_WITH_TOKEN);
  const parts = { box: createWebhookBox(SECRET_KEY), networks: networksOf([]), types: ['note.written'] };
  const db = createCaller(on.database).within(orgId);
  const change = (enabled: boolean) => changeEndpoint({ ...parts, db }, actor, id, { enabled });
  await change(false);
  expect(await untold(id)).toEqual({ disabled: true, count: 0 });
  await change(true);
  await on.database.write(orgId, (transaction) =>
    turnOffEndpoint(transaction, { orgId, id, url: URL_WITH_TOKEN }, 'failing'),
  );
  expect(await untold(id)).toEqual({ disabled: true, count: 1 });
  expect((await nextNotice(on.db, orgId, id))?.owner.email).toBe(`olga@${domain}`);
  await change(true);
  expect(await nextNotice(on.db, orgId, id)).toBeUndefined();
});

async function startTheMailer(): Promise<void> {
  const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', WEBHOOK_NETWORKS: '127.0.0.0/8' };
  mailer = await startWorker('mailer', startMailer, environment, TEST_MODULES);
}

async function addUser(name: string, role: Role): Promise<number> {
  const user = { org_id: orgId, email: `${name}@${domain}`, name, role, password_hash: NO_PASSWORD };
  const { id } = await on.db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow();
  return id;
}

async function untold(id: number) {
  const { rows } = await sql<{ disabled: boolean; count: number }>`
    select disabled_at is not null as disabled, cardinality(owners_to_tell) as count
    from webhook_endpoints where id = ${id}`.execute(on.db);
  return rows[0];
}
