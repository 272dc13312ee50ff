import { sql } from 'kysely';
import { createSession, type Database } from '../../../src/db/read-write-split.ts';
import type { Db } from '../../../src/db/schema.ts';
import { type CampaignContent, createCampaign, launchCampaign } from '../../../src/modules/campaigns/campaigns.ts';
import { type Campaign, campaignById } from '../../../src/modules/campaigns/queries.ts';

export const CONTENT: CampaignContent = {
  name: 'Weekly',
  subject: 'Hello {{name}}',
  body: 'Dear {{name}} of {{organisation}}',
  questions: ['How are you?', 'What helps?', 'Anything else?'],
};

export function addDraft(database: Database, orgId: number, content: Partial<CampaignContent> = {}): Promise<Campaign> {
  return createCampaign(createSession(database, orgId), { orgId }, { ...CONTENT, ...content });
}

export async function addLaunched(
  database: Database,
  orgId: number,
  content: Partial<CampaignContent> = {},
): Promise<number> {
  const { id } = await addDraft(database, orgId, content);
  await launchCampaign(createSession(database, orgId), { orgId }, id);
  return id;
}

export async function campaignOf(db: Db, orgId: number, id: number): Promise<Campaign> {
  const campaign = await campaignById(db, orgId, id);
  if (campaign === undefined) throw new Error(`No campaign ${id}`);
  return campaign;
}

/** The campaign's counters as the ledger itself would have them. */
export async function countedInLedger(db: Db, orgId: number, id: number) {
  const { rows } = await sql<{ recipients: number; sent: number; failed: number; skipped: number }>`
    select count(*) as recipients, count(*) filter (where status = 'sent') as sent,
      count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'skipped') as skipped
    from reach_outs where org_id = ${orgId} and campaign_id = ${id}`.execute(db);
  return rows[0];
}
