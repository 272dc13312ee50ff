/** By rule of src/modules/campaigns/consistency.ts: what breaks it. */
export const inconsistencies = {
  ledgerTotals: `
    update campaign_progress set sent = sent + 1 where (org_id, campaign_id) in
      (select org_id, id from campaigns where finished_at > now() - interval '30 days' limit 1)`,
  dueOrDone: `
    update reach_outs set due_at = now() where (org_id, id) in
      (select org_id, id from reach_outs where status = 'sent' limit 1)`,
};
