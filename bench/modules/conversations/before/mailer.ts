import { createTransport } from 'nodemailer';
import pLimit from 'p-limit';
import type { Pool } from 'pg';
import type { Config } from '../../../../src/config.ts';
import type { Log } from '../../../../src/log.ts';
import { toMail } from '../../../../src/modules/campaigns/campaign-mail.ts';
import { link } from '../../../../src/modules/conversations/links.ts';
import { inTransaction } from './database.ts';

const LAUNCHED_EVERY_MS = 1_000;
const MAILS_AT_ONCE = 10;

interface Campaign {
  readonly orgId: number;
  readonly id: number;
  readonly subject: string;
  readonly body: string;
  readonly organisation: string;
}

interface ReachOut {
  readonly id: number;
  readonly email: string;
  readonly name: string;
}

/** A cron job that looks for launched campaigns, and a loop over the recipients of each. */
export function startMailer(pool: Pool, config: Config, log: Log): { stop(): void } {
  const transport = createTransport({ url: config.smtpUrl, pool: true });
  const atOnce = pLimit(MAILS_AT_ONCE);

  async function sendLaunched(): Promise<void> {
    for (const campaign of await takeLaunched(pool))
      void sendCampaign(campaign).catch((err: Error) => log.error({ err }, 'campaign failed'));
  }

  async function sendCampaign(campaign: Campaign): Promise<void> {
    const reachOuts = await addReachOuts(pool, campaign);
    await Promise.all(reachOuts.map((reachOut) => atOnce(() => sendOne(campaign, reachOut))));
    await pool.query(`update campaigns set status = 'done', finished_at = now() where org_id = $1 and id = $2`, [
      campaign.orgId,
      campaign.id,
    ]);
  }

  async function sendOne(campaign: Campaign, reachOut: ReachOut): Promise<void> {
    const { orgId, organisation } = campaign;
    const { messageId, headers, ...mail } = toMail({ config, links: [link] }, campaign, {
      ...reachOut,
      orgId,
      organisation,
    });
    const error = await transport.sendMail({ ...mail, messageId, headers: { ...headers } }).then(
      () => null,
      (reason: Error) => reason.message,
    );
    const status = error === null ? 'sent' : 'failed';
    await pool.query(
      `update reach_outs set status = $3, error = $4, attempts = 1, due_at = null,
         sent_at = case when $3 = 'sent' then now() end
       where org_id = $1 and id = $2`,
      [orgId, reachOut.id, status, error],
    );
    await pool.query(`update campaign_progress set ${status} = ${status} + 1 where org_id = $1 and campaign_id = $2`, [
      orgId,
      campaign.id,
    ]);
  }

  const timer = setInterval(
    () => void sendLaunched().catch((err: Error) => log.error({ err }, 'cannot look for campaigns')),
    LAUNCHED_EVERY_MS,
  );
  return {
    stop() {
      clearInterval(timer);
      transport.close();
    },
  };
}

/** Launched campaigns that nobody has begun to send. */
async function takeLaunched(pool: Pool): Promise<Campaign[]> {
  const { rows } = await pool.query<Campaign>(
    `update campaigns c set expanded_to = null from organisations o
     where c.status = 'sending' and c.expanded_to = 0 and o.id = c.org_id
     returning c.org_id as "orgId", c.id, c.subject, c.body, o.name as organisation`,
  );
  return rows;
}

/** One for each recipient, all of them in memory. */
function addReachOuts(pool: Pool, { orgId, id }: Campaign): Promise<ReachOut[]> {
  return inTransaction(pool, async (db) => {
    await db.query(
      `insert into reach_outs (org_id, campaign_id, employee_id)
       select org_id, $2, id from employees where org_id = $1 and unsubscribed_at is null`,
      [orgId, id],
    );
    const { rows } = await db.query<ReachOut>(
      `select r.id, e.email, e.name from reach_outs r
       join employees e on e.org_id = r.org_id and e.id = r.employee_id
       where r.org_id = $1 and r.campaign_id = $2 order by r.id`,
      [orgId, id],
    );
    await db.query('update campaign_progress set recipients = $3 where org_id = $1 and campaign_id = $2', [
      orgId,
      id,
      rows.length,
    ]);
    return rows;
  });
}
