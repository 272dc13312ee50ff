/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */
export interface MoodDays {
  answers: number;
  day: string;
  org_id: number;
  score_sum: number;
  scored: number;
  team_id: number;
}

declare module '../../db/tables.ts' {
  interface Tables {
    mood_days: MoodDays;
  }
}
