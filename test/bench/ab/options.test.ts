import { expect, test } from 'vitest';
import { readAbOptions } from '../../../bench/ab/options.ts';
import { workload } from '../made-up-module.ts';

const { officeDay } = workload;
const read = (args: string[]) => readAbOptions(args, workload);

test('a version is all that it needs', () => {
  expect(read(['HEAD~1'])).toEqual({
    ref: 'HEAD~1',
    mix: officeDay,
    blocks: 10,
    starts: 2,
    seconds: 5,
    rate: 150,
  });
});

test('single requests are as frequent beside each other as in a day', () => {
  const { mix } = read(['HEAD', '--only=GET /api/v1/me,GET /api/v1/notes']);
  expect(mix).toEqual({
    'GET /api/v1/me': officeDay['GET /api/v1/me'],
    'GET /api/v1/notes': officeDay['GET /api/v1/notes'],
  });
});

test.each<[string[], RegExp]>([
  [[], /One git ref/],
  [['HEAD', 'main'], /One git ref/],
  [['HEAD', '--blocks=0'], /--blocks is a whole number from 1 to 200, not "0"/],
  [['HEAD', '--starts=1.5'], /--starts is a whole number/],
  [['HEAD', '--pairs=10'], /--pairs/],
  [['HEAD', '--only=GET /nowhere'], /There is no GET \/nowhere\. There are:\n {2}GET/],
])('%j is refused in words', (args, said) => {
  expect(() => read(args)).toThrow(said);
});
