import { expect, test } from 'vitest';
import { readAbOptions } from '../../../bench/ab/options.ts';
import { OFFICE_DAY } from '../../../bench/load/mixes.ts';

test('a version is all that it needs', () => {
  expect(readAbOptions(['HEAD~1'])).toEqual({
    ref: 'HEAD~1',
    mix: OFFICE_DAY,
    blocks: 10,
    starts: 2,
    seconds: 5,
    rate: 150,
  });
});

test('single requests are as frequent beside each other as in a day', () => {
  const { mix } = readAbOptions(['HEAD', '--only=GET /api/me,GET /api/teams']);
  expect(mix).toEqual({ 'GET /api/me': OFFICE_DAY['GET /api/me'], 'GET /api/teams': OFFICE_DAY['GET /api/teams'] });
});

test.each<[string[], RegExp]>([
  [[], /One git ref/],
  [['HEAD', 'main'], /One git ref/],
  [['HEAD', '--blocks=0'], /--blocks is a whole number from 1 to 200, not "0"/],
  [['HEAD', '--starts=1.5'], /--starts is a whole number/],
  [['HEAD', '--pairs=10'], /--pairs/],
  [['HEAD', '--only=GET /nowhere'], /There is no GET \/nowhere\. There are:\n {2}GET/],
])('%j is refused in words', (args, said) => {
  expect(() => readAbOptions(args)).toThrow(said);
});
