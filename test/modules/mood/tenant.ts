import { MOOD_GROUP_MIN } from '../../../src/modules/mood/limits.ts';
import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ orgId, database, ids }) {
    await database.db
      .insertInto('mood_days')
      .values({
        org_id: orgId,
        day: new Date().toISOString().slice(0, 10),
        team_id: ids['teams'] as number,
        answers: MOOD_GROUP_MIN,
        scored: MOOD_GROUP_MIN,
        score_sum: 1,
      })
      .execute();
    return {};
  },
  shows: ['/api/v1/mood'],
};
