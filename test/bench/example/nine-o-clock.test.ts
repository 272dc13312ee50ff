import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { register } from '../../../bench/load/accounts.ts';
import type { ScenarioContext } from '../../../bench/scenarios/scenario.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY } from '../../worker.ts';
import { nineOClock } from './nine-o-clock.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

const registry = () => ({ api: api.url, databaseUrl: api.database.ownerUrl, secretKey: SECRET_KEY });

test('the example of docs/bench-scenario.md runs, and what it finds is true', async () => {
  const accounts = [await register(registry(), 'nine.test')];
  const layout = { addresses: { api: api.url } };
  const context = { layout, accounts, profile: 'ci', onSample: () => undefined };
  const { conditions, figures, loads } = await nineOClock.run(context as unknown as ScenarioContext);
  const [answers] = conditions;
  expect(answers).toEqual({ says: 'nothing wrong or failed (0: )', holds: true });
  expect(figures['wrong']).toBe(0);
  expect(Object.keys(loads?.['nine']?.byRoute ?? {})).toEqual(['GET /api/v1/me', 'GET /api/v1/summary']);
});

test('the example finds that answers are wrong', async () => {
  const [stranger] = [await register(registry(), 'stranger.test')];
  const accounts = [{ ...stranger, email: 'somebody-else@stranger.test' }];
  const context = { layout: { addresses: { api: api.url } }, accounts, profile: 'ci', onSample: () => undefined };
  const { conditions } = await nineOClock.run(context as unknown as ScenarioContext);
  expect(conditions[0]?.holds).toBe(false);
  expect(conditions[0]?.says).toContain('where somebody-else@stranger.test asked');
});

test('docs/bench-scenario.md shows the example word for word', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/bench-scenario.md'), 'utf8');
  const code = readFileSync(path.join(import.meta.dirname, 'nine-o-clock.ts'), 'utf8');
  // On the page it lies in bench/modules/<noun>/.
  expect(page).toContain(code.replaceAll("'../../../bench/", "'../../"));
});
