import { type CampaignJob, handleCampaign, type MailerParts } from '../../../src/modules/campaigns/jobs.ts';

/** Takes a few from the ledger, sends them, writes down what came of them; turn by turn, as the queue would call it. */
export async function sendCampaign(parts: MailerParts, job: CampaignJob): Promise<void> {
  const never = new AbortController().signal;
  while ((await handleCampaign(parts, job, never)) !== 'finished');
}
