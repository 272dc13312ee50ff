import { type CheckArgs, type CheckedAnswer, isCount } from '../../load/checks.ts';
import { read } from '../../load/step.ts';
import type { ModuleBench } from '../../module-bench.ts';

export const bench: ModuleBench = {
  steps: { 'GET /api/v1/mood': read('GET /api/v1/mood', 'mood') },
  officeDay: { 'GET /api/v1/mood': 10 },
  checks: { mood: checkMood },
  figures: { answersToday: isCount, moodToday: isMood, moodWeekAgo: isMood },
  growing: { 'GET /api/v1/mood': 'time' },
  counted: async () => ({ requests: async () => ({ 'GET /api/v1/mood': { path: '/api/v1/mood' } }) }),
};

interface MoodDay {
  readonly day: string;
  readonly mood: number;
  readonly answers: number;
}

function checkMood(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const mood = answer.json as {
    from: string;
    to: string;
    groupMin: number;
    organisation: MoodDay[];
    teams: { days: MoodDay[] }[];
  };
  for (const [field, value] of Object.entries(args.fields ?? {}))
    if ((mood as unknown as Record<string, unknown>)[field] !== value) return `${field} is not ${value}`;
  for (const days of [mood.organisation, ...mood.teams.map((team) => team.days)]) {
    let last = '';
    for (const { day, mood: value, answers } of days) {
      if (day <= last || day < mood.from || day > mood.to) return `day ${day} does not belong after ${last}`;
      if (!isMood(value) || value === null) return `a mood of ${value}`;
      if (answers < mood.groupMin) return `the mood of ${answers} people is shown; ${mood.groupMin} would hide them`;
      last = day;
    }
  }
  return undefined;
}

function isMood(value: unknown): boolean {
  return value === null || (typeof value === 'number' && value >= -1 && value <= 1);
}
