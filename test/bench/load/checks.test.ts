import { expect, test } from 'vitest';
import { type CheckCall, createOwners, runCheck } from '../../../bench/load/checks.ts';

const owners = createOwners();
const check = (call: CheckCall, body: unknown, own = owners) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return runCheck(
    call,
    { status: 200, headers: { 'read-after': '0/1' }, bytes, json: typeof body === 'string' ? undefined : body },
    own,
  );
};

test('a page: too many items, disorder, a repeated row and a leak are wrong', () => {
  const page = (args: object) => ({ name: 'page', args }) as const;
  const items = (...ids: number[]) => ({ items: ids.map((id) => ({ id })), nextCursor: null });
  expect(check(page({ limit: 2, order: 'asc' }), items(1, 2))).toBeUndefined();
  expect(check(page({ limit: 2 }), items(1, 2, 3))).toBe('3 items where at most 2 were asked for');
  expect(check(page({ limit: 5, order: 'desc' }), items(3, 1, 2))).toBe('id 2 comes after 1');
  expect(check(page({ limit: 5, order: 'asc', after: 3 }), items(3, 4))).toBe('id 3 comes after 3');
  expect(check(page({ kind: 'teams', orgId: 1 }), items(7))).toBeUndefined();
  expect(check(page({ kind: 'teams', orgId: 2 }), items(7))).toBe('teams 7 belongs to another organisation');
  expect(check(page({ limit: 5 }), { error: 'no' })).toContain('not of the shape');
});

test('employees of another organisation, or that nobody searched for, are wrong', () => {
  const body = { items: [{ id: 1, name: 'Mara Berg', email: 'mara.berg@a.test' }], nextCursor: null };
  expect(check({ name: 'employees', args: { domain: 'a.test', search: 'MAR' } }, body)).toBeUndefined();
  expect(check({ name: 'employees', args: { domain: 'b.test' } }, body)).toBe(
    'mara.berg@a.test is of another organisation',
  );
  expect(check({ name: 'employees', args: { search: 'jo' } }, body)).toContain('does not begin with jo');
});

test('an export that breaks off, lacks a field or lacks rows is wrong', () => {
  const header = '\uFEFFat,campaign,team,employee,email,question,answer,sentiment\r\n';
  const row = 'now,Weekly,"Field, North",Ann,a@a.test,How?,"so ""so""\nreally",0.5\r\n';
  const csv = (text: string, args = {}) => check({ name: 'answers-csv', args }, text);
  expect(csv(header + row + row, { rows: 2 })).toBeUndefined();
  expect(csv(header)).toBeUndefined();
  expect(csv(header + row + row.slice(0, -1))).toBe('the file breaks off after row 1');
  expect(csv(header + row.slice(0, 20))).toBe('the file breaks off after row 0');
  expect(csv(`${header}a,b,c\r\n`)).toBe('row 1 has 3 fields, not 8');
  expect(csv(header + row, { rows: 2 })).toBe('1 rows where there are 2');
  expect(csv('at,campaign\r\n')).toBe('another header than promised');
});

test('an import that lost a row is wrong', () => {
  const done = {
    id: 3,
    status: 'done',
    rowsRead: 20,
    rowsAdded: 18,
    rowsUpdated: 1,
    rowsUnchanged: 1,
    rowsRejected: 0,
  };
  expect(check({ name: 'import', args: { rows: 20, id: 3 } }, done)).toBeUndefined();
  expect(check({ name: 'import', args: { rows: 20 } }, { ...done, rowsAdded: 17 })).toContain('not 20');
  expect(check({ name: 'import', args: { rows: 20 } }, { ...done, rowsRead: 19 })).toBe('19 rows read of 20');
});

test('a mood that shows too few people is wrong', () => {
  const mood = (answers: number) => ({
    from: '2026-01-01',
    to: '2026-01-31',
    groupMin: 5,
    organisation: [{ day: '2026-01-02', mood: 0.2, answers }],
    teams: [],
  });
  expect(check({ name: 'mood' }, mood(5))).toBeUndefined();
  expect(check({ name: 'mood' }, mood(4))).toContain('4 people');
});
