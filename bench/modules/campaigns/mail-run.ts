import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { CAMPAIGN_DEFAULTS, toMail } from '../../../src/modules/campaigns/campaign-mail.ts';
import { launchIn, toQuestion } from '../../../src/modules/campaigns/campaigns.ts';
import { insertCampaign } from '../../../src/modules/campaigns/state-queries.ts';
import type { MailProgress, MailRun } from '../../mail/mail-run.ts';

const { subject, body, questions } = CAMPAIGN_DEFAULTS;
const ORGANISATION = 'Mailed';

export const mailRun: MailRun = {
  sample(links) {
    const config = {
      mailFrom: 'Tardigrade <hello@tardigrade.test>',
      mailBounceDomain: undefined,
      secretKey: 'of links that nobody opens',
      apiUrl: 'http://127.0.0.1:3000',
      chatUrl: 'http://127.0.0.1:3001',
    };
    const person = { orgId: 1, id: 1, name: 'Person Number 1', email: 'person-1@mailed.test' };
    return toMail({ config, links }, { id: 1, subject, body }, { ...person, organisation: ORGANISATION });
  },

  async fill(db, mails) {
    const organisation = db.insertInto('organisations').values({ name: ORGANISATION }).returning('id');
    const id = Number((await organisation.executeTakeFirstOrThrow()).id); // this pool reads bigint as text
    await sql`insert into teams (org_id, name) values (${id}, 'Everybody')`.execute(db);
    await sql`
      insert into employees (org_id, team_id, email, name)
      select ${id}::bigint, (select id from teams where org_id = ${id}), 'person-' || n || '@mailed-' || ${id}::bigint || '.test', 'Person Number ' || n
      from generate_series(1, ${mails}::int) n`.execute(db);
    await sql`vacuum (analyze) employees`.execute(db);
    return id;
  },

  begin: (db, orgId) =>
    db.transaction().execute(async (transaction) => {
      const content = { name: 'Mailed', subject, body, questions: questions.map(toQuestion) };
      const id = Number(await insertCampaign(transaction, orgId, content));
      await launchIn(transaction, { orgId, name: 'bench' }, id);
      return id;
    }),

  async progressOf(db: Db, orgId: number, id: number): Promise<MailProgress> {
    const { rows } = await sql<MailProgress>`
      select status = 'done' as "isOver", sent,
        (select extract(epoch from max(sent_at) - min(sent_at))::float8 from reach_outs where org_id = ${orgId} and campaign_id = ${id} and status = 'sent' and c.status = 'done') as seconds
      from campaigns c join campaign_progress p on p.org_id = c.org_id and p.campaign_id = c.id
      where c.org_id = ${orgId} and c.id = ${id}`.execute(db);
    return rows[0] as MailProgress;
  },
};
