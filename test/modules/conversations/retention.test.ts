import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_DAYS, RETENTION_STEP_ROWS } from '../../../src/limits.ts';
import { retention } from '../../../src/modules/conversations/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { invite } from './invitations.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

/** Each with one message; `days` old, a minute more or less. */
async function addConversations(count: number, days: string): Promise<number> {
  const [first] = await invite(on, count);
  const orgId = first?.orgId as number;
  await sql`
    with begun as (
      insert into conversations (org_id, campaign_id, employee_id, team_id, reach_out_id, started_at)
      select r.org_id, r.campaign_id, r.employee_id, e.team_id, r.id, now() - ${days}::interval
      from reach_outs r join employees e on e.org_id = r.org_id and e.id = r.employee_id where r.org_id = ${orgId}
      returning org_id, id
    )
    insert into messages (org_id, conversation_id, seq, sender, body) select org_id, id, 1, 'bot', 'Hi' from begun`.execute(
    on.db,
  );
  return orgId;
}
async function countsOf(orgId: number) {
  const { rows } = await sql<{ conversations: number; messages: number }>`
    select (select count(*) from conversations where org_id = ${orgId}) as conversations,
      (select count(*) from messages where org_id = ${orgId}) as messages`.execute(on.db);
  return rows[0];
}
const forget = (signal = new AbortController().signal) => retention.conversations.forget(on.database, signal);

test('what is older than the retention is forgotten with its messages, step by step, in every organisation', async () => {
  const old = `${RETENTION_DAYS} days 1 minute`;
  const large = await addConversations(RETENTION_STEP_ROWS + 20, old);
  const small = await addConversations(3, old);
  const young = await addConversations(4, `${RETENTION_DAYS - 1} days 23 hours`);
  expect(await forget()).toBe(RETENTION_STEP_ROWS + 23);
  expect(await countsOf(large)).toEqual({ conversations: 0, messages: 0 });
  expect(await countsOf(small)).toEqual({ conversations: 0, messages: 0 });
  expect(await countsOf(young)).toEqual({ conversations: 4, messages: 4 });
  expect(await forget()).toBe(0);
});

test('a stop ends it after the step under way; the next run goes on', async () => {
  const orgId = await addConversations(RETENTION_STEP_ROWS + 5, `${RETENTION_DAYS + 1} days`);
  const stop = new AbortController();
  const running = forget(stop.signal);
  stop.abort();
  expect(await running).toBe(RETENTION_STEP_ROWS);
  expect(await countsOf(orgId)).toEqual({ conversations: 5, messages: 5 });
  expect(await forget()).toBe(5);
});
