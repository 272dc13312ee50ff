/** By rule of src/modules/conversations/consistency.ts: what breaks it. */
const one = 'select org_id, id from conversations where answers > 0 limit 1';

export const inconsistencies = {
  numbersWithoutGaps: `update conversations set last_seq = last_seq + 1 where (org_id, id) in (${one})`,
  answerCounts: `update conversations set answers = answers - 1 where (org_id, id) in (${one})`,
  campaignTotals: `
    update campaign_progress set opened = 0 where (org_id, campaign_id) in
      (select org_id, campaign_id from conversations limit 1)`,
};
