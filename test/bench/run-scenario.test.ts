import { expect, test } from 'vitest';
import { judge } from '../../bench/run-scenario.ts';

const HELD = { says: 'nothing lost (0)', holds: true };
const MISSED = { says: 'nothing failed (3)', holds: false };

test('a line is met when every condition holds; hints do not change that', () => {
  expect(judge({ conditions: [HELD], figures: {} })).toEqual({ outcome: 'met', reasons: [] });
  expect(judge({ conditions: [HELD], hints: ['shrunk'], figures: {} })).toEqual({
    outcome: 'met',
    reasons: ['shrunk'],
  });
});

test('the conditions that do not hold are the reasons', () => {
  expect(judge({ conditions: [HELD, MISSED], figures: {} })).toEqual({
    outcome: 'not met',
    reasons: ['not so: nothing failed (3)'],
  });
});

test('what proves nothing is inconclusive, whatever else was found', () => {
  expect(judge({ conditions: [MISSED], inconclusive: ['the generator was late'], figures: {} })).toEqual({
    outcome: 'inconclusive',
    reasons: ['the generator was late', 'not so: nothing failed (3)'],
  });
});
