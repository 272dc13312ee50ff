import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Column, columnsOf, faultsOf, planCopy } from '../../scripts/staging/plan.ts';
import { stagingRules } from '../../scripts/staging/rules.ts';
import { asAdmin, createTestDatabase, type TestDatabase } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';

let on: TestDatabase;
let columns: Column[];
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  columns = await asAdmin(columnsOf, on.ownerUrl);
});
afterAll(() => on.close());

test('every table, and every column that could say something about somebody, has a rule for staging', async () => {
  expect(columns.length).toBeGreaterThan(50);
  expect(faultsOf(columns, await stagingRules(TEST_MODULES))).toEqual([]);
});

test('what has no rule is named, and so is a rule for something that is not there', () => {
  const column = (name: string, type: string) => ({ table: 'books', column: name, type });
  const rules = { books: { columns: { title: 'blanked', colour: 'kept' } }, shelves: { leftOut: 'empty' } } as const;
  expect(faultsOf([column('id', 'int8'), column('title', 'text'), column('reader', 'text')], rules)).toEqual([
    'books.reader (text) has no rule: say in staging.ts of its module what becomes of it',
    'there is a rule for shelves, and no such table',
    'there is a rule for books.colour, and no such column',
  ]);
  expect(() => planCopy([column('id', 'int8')], {})).toThrow(/Nothing is copied[\s\S]*books has no rule/);
});
