import { PERSON_ROWS_MAX } from '../employees/limits.ts';
import type { PersonalData } from '../faces.ts';

export const person: PersonalData = {
  reach_outs: (db, orgId, personId) =>
    db
      .selectFrom('reach_outs')
      .innerJoin('campaigns', (join) =>
        join.onRef('campaigns.org_id', '=', 'reach_outs.org_id').onRef('campaigns.id', '=', 'reach_outs.campaign_id'),
      )
      .where('reach_outs.org_id', '=', orgId)
      .where('reach_outs.employee_id', '=', personId)
      .select([
        'reach_outs.id',
        'campaigns.name as campaign',
        'reach_outs.status',
        'reach_outs.sent_at as sentAt',
        'reach_outs.error',
      ])
      .limit(PERSON_ROWS_MAX)
      .execute(),
};
