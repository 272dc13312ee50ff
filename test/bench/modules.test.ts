import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBenches } from '../../bench/modules.ts';
import { promisesOf } from '../../bench/promises.ts';
import { allScenarios } from '../../bench/scenarios/all.ts';
import { MODULES } from '../../src/modules.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

test('the bench has the platform first, then the modules that bring something, in the order of the one list', async () => {
  const [first, ...others] = (await loadBenches()).map(({ name, folder }) => `${name} ${path.relative(ROOT, folder)}`);
  const bringing = MODULES.filter(({ name }) => existsSync(path.join(ROOT, 'bench', 'modules', name, 'bench.ts')));
  expect(first).toBe('platform bench');
  expect(others).toEqual(bringing.map(({ name }) => `${name} bench/modules/${name}`));
});

test('each promise is proved by a test that exists, by a scenario that exists, or says that it is not', async () => {
  const benches = await loadBenches();
  const { ownLayout, nanoEach, oneNano } = await allScenarios(benches);
  const names = [...ownLayout, ...nanoEach, ...oneNano].map(({ name }) => name);
  const proved = (proof: string) => {
    const scenario = /^scenario ([\w-]+)/.exec(proof)?.[1];
    if (scenario !== undefined) return names.includes(scenario);
    return proof === 'not yet' || existsSync(path.join(ROOT, proof));
  };
  expect(Object.entries(promisesOf(benches)).filter(([, proof]) => !proved(proof))).toEqual([]);
});
