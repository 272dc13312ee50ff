import type { Rules } from '../faces.ts';

export const consistency: Rules = {
  numbersWithoutGaps: {
    holds: 'the messages of each conversation are numbered without a gap, and it knows the last number',
    faults: `
      select format('conversation %s of organisation %s has %s messages, numbers up to %s and says %s', v.id, v.org_id,
        count(m.seq), max(m.seq), v.last_seq) as fault
      from conversations v left join messages m on m.org_id = v.org_id and m.conversation_id = v.id
      group by v.org_id, v.id
      having v.last_seq <> count(m.seq) or v.last_seq <> coalesce(max(m.seq), 0)`,
  },
  answerCounts: {
    holds: 'each conversation counts its answers',
    faults: `
      select format('conversation %s of organisation %s says %s answers and has %s', v.id, v.org_id, v.answers,
        count(m.seq)) as fault
      from conversations v
      left join messages m on m.org_id = v.org_id and m.conversation_id = v.id and m.sender = 'employee'
      group by v.org_id, v.id having v.answers <> count(m.seq)`,
  },
  campaignTotals: {
    holds: 'no campaign counts fewer conversations and answers than it has',
    // Conversations are deleted after some time; the totals stay.
    faults: `
      select format('campaign %s of organisation %s says %s and has %s', p.campaign_id, p.org_id,
        row(p.opened, p.finished, p.answers), row(count(v.id), count(v.finished_at), sum(v.answers))) as fault
      from campaign_progress p
      join conversations v on v.org_id = p.org_id and v.campaign_id = p.campaign_id
      group by p.org_id, p.campaign_id
      having p.opened < count(v.id) or p.finished < count(v.finished_at) or p.answers < sum(v.answers)`,
  },
};
