import type { CampaignContent } from '../../../src/modules/campaigns/campaigns.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';
import type { TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { SECRET_KEY } from '../../worker.ts';
import { addLaunched } from '../campaigns/drafts.ts';
import { addEmployees } from '../employees/people.ts';

export interface Invitation {
  readonly orgId: number;
  readonly campaignId: number;
  readonly reachOutId: number;
  /** Of the check-in link. */
  readonly token: string;
}

/** An organisation with a launched campaign, of CONTENT's three questions unless `content` has others, and its people as if their mails had arrived. */
export async function invite(
  on: TestDatabase,
  count: number,
  content: Partial<CampaignContent> = {},
): Promise<Invitation[]> {
  const orgId = await addOrganisation(on.db);
  const employees = await addEmployees(on.db, orgId, count, 'invited.test');
  const campaignId = await addLaunched(on.database, orgId, content);
  const reachOuts = await on.db
    .insertInto('reach_outs')
    .values(
      employees.map((employee) => ({
        org_id: orgId,
        campaign_id: campaignId,
        employee_id: employee,
        status: 'sent',
        due_at: null,
      })),
    )
    .returning('id')
    .execute();
  return reachOuts.map(({ id: reachOutId }) => ({
    orgId,
    campaignId,
    reachOutId,
    token: createCheckInToken(SECRET_KEY, { orgId, id: reachOutId }),
  }));
}

export async function inviteOne(on: TestDatabase): Promise<Invitation> {
  const [invitation] = await invite(on, 1);
  return invitation as Invitation;
}
