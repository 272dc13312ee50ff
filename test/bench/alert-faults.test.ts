import { expect, test } from 'vitest';
import { loadBenches } from '../../bench/modules.ts';
import { allFaults } from '../../bench/scenarios/alerts.ts';
import { ONLY_PROMETHEUS } from '../../scripts/alerts/prometheus.ts';
import { MODULES } from '../../src/modules.ts';

test('every rule, the mailer’s and Prometheus’, has a planted fault that makes it fire', async () => {
  const faces = await Promise.all(MODULES.map((module) => module.alerts?.()));
  const rules = [
    ...faces.flatMap((face) => face?.alerts ?? []).map(({ name }) => name),
    ...ONLY_PROMETHEUS.map(({ alert }) => alert),
  ];
  const planted = (await allFaults(await loadBenches())).map(({ rule }) => rule);
  expect(rules.length).toBeGreaterThan(20);
  expect(planted.toSorted()).toEqual(rules.toSorted());
});
