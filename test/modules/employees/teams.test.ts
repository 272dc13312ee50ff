import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('teams are sorted by name, each with its number of people', async () => {
  const owner = await api.newOwner();
  for (const [team, people] of [
    ['Sales', 2],
    ['Design', 0],
  ] as const) {
    const { id } = await api.database.db
      .insertInto('teams')
      .values({ org_id: owner.orgId, name: team })
      .returning('id')
      .executeTakeFirstOrThrow();
    for (let n = 0; n < people; n++)
      await api.database.db
        .insertInto('employees')
        .values({ org_id: owner.orgId, team_id: id, name: `P${n}`, email: `p${n}@a.test` })
        .execute();
  }
  const headers = { authorization: `Bearer ${owner.token}`, 'read-after': 'FFFFFFFF/FFFFFFFF' };
  const teams = await call<{ items: object[] }>(api.url, 'GET', '/api/v1/teams', { headers });
  expect(teams.body.items).toEqual([
    { id: expect.any(Number), name: 'Design', employees: 0 },
    { id: expect.any(Number), name: 'Sales', employees: 2 },
  ]);
});
