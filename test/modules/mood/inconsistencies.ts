/** By rule of src/modules/mood/consistency.ts: what breaks it. */
export const inconsistencies = {
  scoredAnswers: `
    update mood_days set scored = answers + 1 where (org_id, day, team_id) in
      (select org_id, day, team_id from mood_days limit 1)`,
};
