import { afterAll, beforeAll, expect, test } from 'vitest';
import { addToProgress } from '../../../src/modules/campaigns/campaigns.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addLaunched } from './drafts.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('what happened in several campaigns is added to the progress of each, and to no other', async () => {
  const orgId = await addOrganisation(on.db);
  const [first, second, other] = [
    await addLaunched(on.database, orgId),
    await addLaunched(on.database, orgId),
    await addLaunched(on.database, orgId),
  ];
  const add = (...more: Parameters<typeof addToProgress>[2][number][]) =>
    on.database.write(orgId, (db) => addToProgress(db, orgId, more));
  await add({ campaign_id: first, opened: 2, answers: 0, finished: 0 });
  await add(
    { campaign_id: first, opened: 1, answers: 5, finished: 1 },
    { campaign_id: second, opened: 0, answers: 1, finished: 0 },
  );
  const rows = await on.db
    .selectFrom('campaign_progress')
    .select(['campaign_id', 'opened', 'answers', 'finished'])
    .orderBy('campaign_id')
    .execute();
  expect(rows).toEqual([
    { campaign_id: first, opened: 3, answers: 5, finished: 1 },
    { campaign_id: second, opened: 0, answers: 1, finished: 0 },
    { campaign_id: other, opened: 0, answers: 0, finished: 0 },
  ]);
});
