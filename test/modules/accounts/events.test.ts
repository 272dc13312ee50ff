import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, runApi } from '../../running-api.ts';
import { addEndpoint } from '../webhooks/endpoint.ts';
import { addPerson, tokenOf } from './members.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('a member who joins and one who is removed are announced to the webhooks that listen', async () => {
  const owner = await addPerson(api, 'owner');
  const { orgId } = owner;
  await addEndpoint(api.database, orgId, 'https://hooks.example.com/', ['member.joined', 'member.removed']);
  const { body } = await owner.send<{ id: number }>('POST', '/api/v1/invitations', {
    email: `joins-${orgId}@example.test`,
    role: 'viewer',
  });
  const joined = await owner.send<{ user: { id: number } }>('POST', '/api/v1/memberships', {
    token: tokenOf(api, 'invitation', { orgId, id: body.id }),
    name: 'Nia New',
    password: 'four rather louder words',
  });
  const userId = joined.body.user.id;
  expect((await owner.send('DELETE', `/api/v1/users/${userId}`)).status).toBe(204);
  const events = await api.database.db
    .selectFrom('outbox')
    .where('org_id', '=', orgId)
    .where('topic', '=', 'webhook.event')
    .select('payload')
    .orderBy('id')
    .execute();
  expect(events.map(({ payload }) => JSON.parse((payload as { body: string }).body))).toMatchObject([
    { type: 'member.joined', data: { userId, role: 'viewer' } },
    { type: 'member.removed', data: { userId } },
  ]);
});
