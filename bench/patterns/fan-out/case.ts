import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { loadConfig } from '../../../src/config.ts';
import type { Db } from '../../../src/db/database.ts';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createThrottle } from '../../../src/flow/throttle.ts';
import { MAILS_IN_FLIGHT_MAX } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import { openTransport, type Transport } from '../../../src/mail/transport.ts';
import type { CampaignJob, MailerParts } from '../../../src/modules/campaigns/jobs.ts';
import { type SendingCampaign, sendingCampaign } from '../../../src/modules/campaigns/ledger.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { openBenchPool } from '../bench-pool.ts';
import { MB, type PatternCase, type Servers } from '../pattern.ts';

type Variant = { sendCampaign(parts: MailerParts, job: CampaignJob): Promise<void> };
type Input = { readonly mails: number };

const SIZE = { conversations: 200_000, answersEach: 5 };
const MAILS = 30_000;
/** A body as newsletters have it: it is what Promise.all holds thirty thousand times. */
const BODY = 'How was your week? We would like to know, because what you say helps. '.repeat(110);

export const pattern: PatternCase<Variant, Input> = {
  slug: 'fan-out',
  asks: `Send a campaign to ${MAILS} people through SMTP.`,
  breaks: 'the process is killed, or its heap is exhausted',
  holds: 'everybody gets exactly one mail, and the process stays below 250 MB',
  needs: ['database', 'mail'],
  small: { mails: 200 },
  full: { mails: MAILS },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { mails }, servers) {
    const { job, close } = await launchedCampaign(servers, mails);
    const { parts, handed, closeParts } = openParts(servers);
    await variant.sendCampaign(parts, job);
    await closeParts();
    await close();
    const digest = createHash('sha256')
      .update([...handed].sort().join())
      .digest('hex');
    return { digest, figures: { mails: handed.length, people: new Set(handed).size } };
  },

  isBroken: (naive) => naive.ending === 'OOM-killed' || naive.ending === 'heap exhausted',
  isHeld: (hardened) =>
    hardened.ending === 'finished' &&
    hardened.figures.mails === MAILS &&
    hardened.figures.people === MAILS &&
    hardened.peakBytes < 250 * MB,
};

/** The campaign and every employee of its organisation, in one list. */
export async function everybody(db: Db, { orgId, campaignId }: CampaignJob) {
  const campaign = (await sendingCampaign(db, orgId, campaignId)) as SendingCampaign;
  const rows = await db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .select(['id', 'name', 'email'])
    .orderBy('id')
    .execute();
  return { campaign, people: rows.map(({ id, name, email }) => ({ orgId, reachOutId: id, name, email })) };
}

async function launchedCampaign(
  { databaseUrl }: Servers,
  mails: number,
): Promise<{ job: CampaignJob; close(): Promise<void> }> {
  const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
  const orgId = await copyEmployees(db, await benchOrganisation(databaseUrl, SIZE), mails);
  const { id: campaignId } = await db
    .insertInto('campaigns')
    .values({
      org_id: orgId,
      name: 'Monday',
      subject: 'Hi {{name}}',
      body: `Hello {{name}}, ${BODY}`,
      questions: ['How?'],
      status: 'sending',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db.insertInto('campaign_progress').values({ org_id: orgId, campaign_id: campaignId }).execute();
  return {
    job: { orgId, campaignId },
    async close() {
      await db.deleteFrom('campaigns').where('org_id', '=', orgId).execute();
      await db.deleteFrom('employees').where('org_id', '=', orgId).execute();
      await close();
    },
  };
}

function openParts(servers: Servers) {
  const config = loadConfig({
    DATABASE_URL: servers.workerDatabaseUrl,
    REDIS_URL: 'redis://127.0.0.1:1', // nothing here asks it
    SMTP_URL: servers.smtpUrl,
    SECRET_KEY: 'a key for the bench, longer than thirty-two characters',
  });
  const log = createLog('bench', 'silent');
  const database = openDatabase({
    config,
    name: 'mailer',
    log,
    metrics: createMetrics('mailer'),
  });
  const smtp = openTransport(config.smtpUrl);
  const handed: string[] = [];
  const transport: Transport = {
    async send(mail) {
      const outcome = await smtp.send(mail);
      if (outcome.kind === 'sent') handed.push(mail.to);
      return outcome;
    },
    close: smtp.close,
  };
  // As fast as the server takes them: the provider's rate is not what this is about.
  const parts: MailerParts = {
    config,
    database,
    transport,
    throttle: createThrottle(1e6),
    inFlight: pLimit(MAILS_IN_FLIGHT_MAX),
    log,
  };
  return {
    parts,
    handed,
    async closeParts() {
      smtp.close();
      await database.close();
    },
  };
}
