import { expect, test } from 'vitest';
import { type CheckArgs, type CheckCall, GENERAL_CHECKS } from '../../../bench/load/checks.ts';
import { checkBody } from '../answer.ts';
import { workload } from '../made-up-module.ts';

const check = (call: CheckCall, body: unknown) => checkBody(GENERAL_CHECKS, call, body);

test('a page: too many items, disorder, a repeated row and a leak are wrong', () => {
  const page = (args: CheckArgs): CheckCall => ({ name: 'page', args });
  const items = (...ids: number[]) => ({ items: ids.map((id) => ({ id })), nextCursor: null });
  expect(check(page({ limit: 2, order: 'asc' }), items(1, 2))).toBeUndefined();
  expect(check(page({ limit: 2 }), items(1, 2, 3))).toBe('3 items where at most 2 were asked for');
  expect(check(page({ limit: 5, order: 'desc' }), items(3, 1, 2))).toBe('id 2 comes after 1');
  expect(check(page({ limit: 5, order: 'asc', after: 3 }), items(3, 4))).toBe('id 3 comes after 3');
  expect(check(page({ kind: 'notes', orgId: 1 }), items(7))).toBeUndefined();
  expect(check(page({ kind: 'notes', orgId: 2 }), items(7))).toBe('notes 7 belongs to another organisation');
  expect(check(page({ limit: 5 }), { error: 'no' })).toContain('not of the shape');
});

test('a summary lacks no figure of any module, and none of them is impossible', () => {
  const summary = (body: unknown) => checkBody(workload.checks, { name: 'summary' }, body);
  expect(summary({ notes: 3, more: 'whatever' })).toBeUndefined();
  expect(summary({})).toBe('notes is undefined');
  expect(summary({ notes: -1 })).toBe('notes is -1');
});

test('a check that nobody has is told, not passed over', () => {
  expect(check({ name: 'poem' }, {})).toBe('there is no check called poem');
});
