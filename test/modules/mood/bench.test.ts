import { expect, test } from 'vitest';
import { bench } from '../../../bench/modules/mood/bench.ts';
import { checkBody } from '../../bench/answer.ts';

test('a mood that shows too few people is wrong', () => {
  const mood = (answers: number) => ({
    from: '2026-01-01',
    to: '2026-01-31',
    groupMin: 5,
    organisation: [{ day: '2026-01-02', mood: 0.2, answers }],
    teams: [],
  });
  expect(checkBody(bench.checks ?? {}, { name: 'mood' }, mood(5))).toBeUndefined();
  expect(checkBody(bench.checks ?? {}, { name: 'mood' }, mood(4))).toContain('4 people');
});
