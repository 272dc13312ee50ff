import { expect, test } from 'vitest';
import { columnsOf } from '../../../src/modules/employees/csv-columns.ts';
import { isAddress } from '../../../src/modules/employees/csv-table.ts';
import { IMPORT_LINE_BYTES_MAX } from '../../../src/modules/employees/limits.ts';

/** Where the cost of a cell grows with the square of its length, these take minutes, and the tests time out. */

test('a title of as many words as a line can have takes no time', () => {
  const words = 'a '.repeat(IMPORT_LINE_BYTES_MAX / 2);
  const rows = [['Ada', 'Byron', 'ada@a.test']];
  expect(columnsOf(['First name', words, 'Email'], rows, {})).toEqual({ name: [0], email: 2 });
  const { problem } = columnsOf(['First name', `${words} surname at birth`, 'Email'], rows, {});
  expect(problem).toContain('may be the last name');
});

test('a cell of dots takes no time', () => {
  expect(isAddress(`a@${'.'.repeat(10 * IMPORT_LINE_BYTES_MAX)} x`)).toBe(false);
});

test.each(['a@b.c', ' ada@a.test ', 'a@...', 'a@.b.c', 'a@b..c', 'ada@corp.test.'])(
  '%j looks like an address',
  (cell) => expect(isAddress(cell)).toBe(true),
);

test.each(['a@b', 'a@b.', 'a@.b', '@b.c', 'a@b.c@d.e', 'a b@c.d', 'a@b c.d', ''])('%j does not', (cell) =>
  expect(isAddress(cell)).toBe(false),
);
