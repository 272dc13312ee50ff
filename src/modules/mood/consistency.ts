import type { Rules } from '../faces.ts';

export const consistency: Rules = {
  scoredAnswers: {
    holds: 'no day has more scored answers than answers, or a mood beyond the scale',
    faults: `
      select format('%s of team %s of organisation %s: %s of %s answers scored, sum %s', day, team_id, org_id, scored,
        answers, score_sum) as fault
      from mood_days where scored > answers or abs(score_sum) > scored + 0.001`,
  },
};
