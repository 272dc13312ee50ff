import { expect, test } from 'vitest';
import type { LoadedBench } from '../../bench/module-bench.ts';
import { allScenarios } from '../../bench/scenarios/all.ts';
import type { Scenario } from '../../bench/scenarios/scenario.ts';

function scenario(name: string, kills: boolean): Scenario {
  return { name, promise: name, line: name, kills, run: async () => ({ conditions: [], figures: {} }) };
}

test('the scenarios of modules run after the ramp, and those that kill at the end', async () => {
  const calm = scenario('notes-at-nine', false);
  const killing = scenario('notes-killed', true);
  const bench: LoadedBench = { name: 'notes', folder: '', scenarios: async () => ({ scenarios: [killing, calm] }) };
  const names = (await allScenarios([bench])).nanoEach.map(({ name }) => name);
  expect(names.indexOf('ramp')).toBeLessThan(names.indexOf('notes-at-nine'));
  expect(names.slice(-3)).toEqual(['credits-gone', 'notes-killed', 'chaos']);
});
