import type { Rules } from '../faces.ts';
import { CAMPAIGN_DAYS } from './limits.ts';

export const consistency: Rules = {
  ledgerTotals: {
    holds: "each campaign's totals are those of its ledger",
    // Old ledgers are deleted page by page, before their campaign.
    faults: `
      select format('campaign %s of organisation %s says %s and has %s', p.campaign_id, p.org_id,
        row(p.recipients, p.sent, p.failed, p.skipped),
        row(count(r.id), count(r.id) filter (where r.status = 'sent'), count(r.id) filter (where r.status = 'failed'),
          count(r.id) filter (where r.status = 'skipped'))) as fault
      from campaign_progress p join campaigns c on c.org_id = p.org_id and c.id = p.campaign_id
      left join reach_outs r on r.org_id = p.org_id and r.campaign_id = p.campaign_id
      where c.finished_at is null or c.finished_at > now() - interval '${CAMPAIGN_DAYS - 1} days'
      group by p.org_id, p.campaign_id
      having p.recipients <> count(r.id) or p.sent <> count(r.id) filter (where r.status = 'sent')
        or p.failed <> count(r.id) filter (where r.status = 'failed')
        or p.skipped <> count(r.id) filter (where r.status = 'skipped')`,
  },
  dueOrDone: {
    holds: 'a reach-out is due exactly as long as it waits or is being sent',
    faults: `
      select format('reach-out %s of organisation %s is %s, due at %s', id, org_id, status, due_at) as fault
      from reach_outs where (status in ('waiting', 'sending')) <> (due_at is not null)`,
  },
};
