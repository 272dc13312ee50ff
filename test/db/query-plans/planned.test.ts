import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMPOSED_SITE, composedStatements } from '../../../scripts/query-plans/composed.ts';
import { EXCEPTIONS, isExcepted } from '../../../scripts/query-plans/exceptions.ts';
import { SMALL_GROUPS } from '../../../scripts/query-plans/small-groups.ts';
import { recordedStatements } from '../../../scripts/query-plans/snapshots.ts';
import { MODULES } from '../../../src/modules.ts';
import { openPlanning, type Planning } from './planning.ts';

const recorded = await recordedStatements();
const composed = await composedStatements();

let planning: Planning;
beforeAll(async () => {
  planning = await openPlanning(SMALL_GROUPS);
});
afterAll(() => planning.close());

test('there are statements to look at, and every table counts as growing', () => {
  const { tables } = planning.catalog;
  expect(recorded.length).toBeGreaterThan(10);
  expect(recorded.filter(({ sites }) => sites.includes(COMPOSED_SITE))).toEqual([]);
  expect(composed).toHaveLength(MODULES.some(({ figures }) => figures !== undefined) ? 1 : 0);
  expect([...tables.keys()]).toEqual(expect.arrayContaining(['organisations', 'outbox', 'sessions', 'users']));
  expect(SMALL_GROUPS.filter(({ table }) => !tables.has(table))).toEqual([]);
});

test('every statement finds its rows by an index and has a bound, or says why not', async () => {
  const wrong: string[] = [];
  const needed = new Set<object>();
  for (const statement of [...recorded, ...composed]) {
    for (const fault of await planning.faultsIn(statement)) {
      const exception = isExcepted(fault, statement.sites);
      if (exception === undefined) wrong.push(`${statement.sites.join(', ')}: ${fault.text}`);
      else needed.add(exception);
    }
  }
  expect.soft(wrong).toEqual([]);
  expect.soft(EXCEPTIONS.filter((exception) => !needed.has(exception))).toEqual([]);
});
