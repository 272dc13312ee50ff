import { sql } from 'kysely';
import type { Db } from '../src/db/database.ts';
import { createSession, type Database } from '../src/db/read-write-split.ts';
import { type CampaignContent, createCampaign, launchCampaign } from '../src/modules/campaigns/campaigns.ts';
import { type Campaign, campaignById } from '../src/modules/campaigns/queries.ts';

export async function addOrganisation(db: Db, name = 'Acme'): Promise<number> {
  return (await db.insertInto('organisations').values({ name }).returning('id').executeTakeFirstOrThrow()).id;
}

/** `person-1@domain`, `person-2@domain`, …, all in the team "People". Returns their ids in that order. */
export async function addEmployees(db: Db, orgId: number, count: number, domain: string): Promise<number[]> {
  return addEmployeesNamed(
    db,
    orgId,
    Array.from({ length: count }, (_, index) => ({
      name: `Person ${index + 1}`,
      email: `person-${index + 1}@${domain}`,
    })),
  );
}

export async function addEmployeesNamed(
  db: Db,
  orgId: number,
  people: { name: string; email: string }[],
): Promise<number[]> {
  await sql`insert into teams (org_id, name) values (${orgId}, 'People') on conflict do nothing`.execute(db);
  const added = await sql<{ id: number }>`
    insert into employees (org_id, team_id, name, email)
    select ${orgId}::bigint, teams.id, person.name, person.email
    from teams, unnest(${people.map((person) => person.name)}::text[], ${people.map((person) => person.email)}::text[])
      with ordinality as person (name, email, place)
    where teams.org_id = ${orgId} order by place
    returning id`.execute(db);
  return added.rows.map((row) => row.id).sort((a, b) => a - b);
}

export const CONTENT: CampaignContent = {
  name: 'Weekly',
  subject: 'Hello {{name}}',
  body: 'Dear {{name}} of {{organisation}}',
  questions: ['How are you?', 'What helps?', 'Anything else?'],
};

export function addDraft(database: Database, orgId: number, content: Partial<CampaignContent> = {}): Promise<Campaign> {
  return createCampaign(createSession(database, orgId), orgId, { ...CONTENT, ...content });
}

export async function addLaunched(
  database: Database,
  orgId: number,
  content: Partial<CampaignContent> = {},
): Promise<number> {
  const { id } = await addDraft(database, orgId, content);
  await launchCampaign(createSession(database, orgId), orgId, id);
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
