import type { ModuleBench } from './module-bench.ts';

/** Every promise, and where it is proved: by a scenario of the bench, by a test, or not yet. */
export function promisesOf(benches: readonly ModuleBench[]): Readonly<Record<string, string>> {
  return Object.assign({}, PLATFORM_PROMISES, ...benches.map(({ promises }) => promises));
}

const PLATFORM_PROMISES = {
  'nothing-lost': 'scenario chaos',
  'primary-lost': 'scenario primary-lost (full profile)',
  'own-writes': 'test/db/read-write-split.test.ts',
  'fits-nano': 'scenario soak',
  'fits-one-nano': 'scenario one-nano',
  'four-times-data': 'scenario four-times-data',
  'bends-not-breaks': 'scenario overload',
  attacks: 'scenario attacks (full profile)',
  'credits-gone': 'scenario credits-gone',
  'own-tenant': 'test/scenarios/own-tenant.test.ts',
  'even-load': 'scenario even-load (full profile)',
  'rolling-replacement': 'scenario rolling-replacement (full profile)',
  'alerts-before-full': 'scenario alerts (full profile)',
  budgeted: 'test/db/connection-budget.test.ts',
  'no-slow-query-lands': 'test/db/query-plans/planned.test.ts',
  'every-route-loaded': 'scenario baseline, and the coverage check of every run',
};
