import { toMail } from '../../../src/modules/campaigns/campaign-mail.ts';
import type { CampaignJob, MailerParts } from '../../../src/modules/campaigns/jobs.ts';
import { everybody } from './case.ts';

/** Reads everybody, writes all mails at once, waits for all of them. */
export async function sendCampaign(parts: MailerParts, job: CampaignJob): Promise<void> {
  const { campaign, people } = await everybody(parts.database.primary(job.orgId), job);
  await Promise.all(
    people.map((person) =>
      parts.transport.send(toMail(parts.config, campaign, { ...person, organisation: campaign.organisation })),
    ),
  );
}
