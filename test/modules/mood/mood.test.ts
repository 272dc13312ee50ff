import { afterAll, beforeAll, expect, test } from 'vitest';
import { addToMood, type TeamDay } from '../../../src/modules/mood/mood.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
});
afterAll(() => on.close());

test('answers of one day and team add up, and those of another team do not', async () => {
  const teams = await on.db
    .insertInto('teams')
    .values(['Support', 'Sales'].map((name) => ({ org_id: orgId, name })))
    .returning('id')
    .execute();
  const [support, sales] = teams.map(({ id }) => id) as [number, number];
  const day = '2026-11-25';
  const add = (...more: Omit<TeamDay, 'day'>[]) =>
    on.database.write(orgId, (db) =>
      addToMood(
        db,
        orgId,
        more.map((one) => ({ ...one, day })),
      ),
    );
  await add({ team_id: support, answers: 2, scored: 2, score: 1.5 });
  await add(
    { team_id: support, answers: 2, scored: 1, score: -1 },
    { team_id: sales, answers: 3, scored: 3, score: 0.75 },
  );
  const rows = await on.db
    .selectFrom('mood_days')
    .select(['team_id', 'answers', 'scored', 'score_sum'])
    .orderBy('team_id')
    .execute();
  expect(rows).toEqual([
    { team_id: support, answers: 4, scored: 3, score_sum: 0.5 },
    { team_id: sales, answers: 3, scored: 3, score_sum: 0.75 },
  ]);
});
