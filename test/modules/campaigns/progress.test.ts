import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSession } from '../../../src/db/read-write-split.ts';
import { addToProgress, pauseCampaign } from '../../../src/modules/campaigns/campaigns.ts';
import { notePace } from '../../../src/modules/campaigns/progress-queries.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addLaunched, campaignOf } from './drafts.ts';

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

test('the rate is that since the last note, and says how long it takes from here; without one it says nothing', async () => {
  const orgId = await addOrganisation(on.db);
  const id = await addLaunched(on.database, orgId);
  const progress = async () => (await campaignOf(on.db, orgId, id)).progress;
  const sent = (count: number) =>
    sql`update campaign_progress set recipients = 1000, sent = ${count} where campaign_id = ${id}`.execute(on.db);
  const passes = (seconds: number) =>
    sql`update campaign_progress set noted_at = noted_at - make_interval(secs => ${seconds}) where campaign_id = ${id}`.execute(
      on.db,
    );
  await sent(100);
  await notePace(on.db, orgId, id);
  expect(await progress()).toMatchObject({ perSecond: null, secondsLeft: null });

  await sent(300);
  await passes(50); // and the seconds that this test takes
  await notePace(on.db, orgId, id);
  const { perSecond, secondsLeft } = await progress();
  expect(perSecond).toBeGreaterThan(3.5);
  expect(perSecond).toBeLessThanOrEqual(4);
  expect(secondsLeft).toBeGreaterThanOrEqual(175);
  expect(secondsLeft).toBeLessThan(200);

  await sent(310);
  await notePace(on.db, orgId, id); // too soon to say anything new
  expect((await progress()).perSecond).toBe(perSecond);
  await passes(120);
  expect(await progress()).toMatchObject({ perSecond: null, secondsLeft: null });
});

test('a campaign that is paused has no rate', async () => {
  const orgId = await addOrganisation(on.db);
  const id = await addLaunched(on.database, orgId);
  await sql`update campaign_progress set noted_at = now(), per_second = 5, recipients = 10 where campaign_id = ${id}`.execute(
    on.db,
  );
  expect((await campaignOf(on.db, orgId, id)).progress).toMatchObject({ perSecond: 5, secondsLeft: 2 });
  await pauseCampaign(createSession(on.database, orgId), { orgId }, id);
  expect((await campaignOf(on.db, orgId, id)).progress).toMatchObject({ perSecond: null, secondsLeft: null });
});
