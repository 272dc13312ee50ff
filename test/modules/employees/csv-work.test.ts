/**
 * The work that a file makes grows with its size, not with the square of it: counted in cells that are read and texts
 * that are folded, so that no clock has a say.
 */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { columnsOf } from '../../../src/modules/employees/csv-columns.ts';
import { readEmployees } from '../../../src/modules/employees/csv-file.ts';
import { previewImport } from '../../../src/modules/employees/import-preview.ts';
import {
  IMPORT_COLUMNS_MAX,
  IMPORT_HEADERS_SOUGHT_CHARS_MAX,
  IMPORT_ROW_CELLS_MAX,
  IMPORT_SNIFF_BYTES,
} from '../../../src/modules/employees/limits.ts';

afterEach(() => vi.restoreAllMocks());

describe('twice the columns are twice the work:', () => {
  test.each<[string, (n: number) => { titles: string[]; rows: string[][] }]>([
    ['of one title', (n) => tableOf(n, 'Name', 'Ada Lovelace')],
    ['of one title in other words', (n) => tableOf(n, 'Ad', 'Ada')],
    ['of addresses', (n) => tableOf(n, 'Email', 'ada@a.test')],
    ['of teams', (n) => tableOf(n, 'Team', 'Engines')],
    ['of names beside both their parts', (n) => withParts(tableOf(n, 'Name', 'Ada Lovelace'))],
    ['that nobody knows', (n) => tableOf(n, 'x', 'Ada')],
    ['without titles', (n) => ({ ...tableOf(n, '', 'ada@a.test'), titles: [] })],
  ])('%s', (_which, tableWith) => {
    const [once, twice] = [workOn(tableWith(500)), workOn(tableWith(1_000))];
    expect(twice / once).toBeLessThan(2.2);
  });

  /** Reads of cells and foldings of texts. */
  function workOn({ titles, rows }: { titles: string[]; rows: string[][] }): number {
    let reads = 0;
    const counted = (cells: string[]) =>
      new Proxy(cells, {
        get: (target, key, receiver) => {
          reads++;
          return Reflect.get(target, key, receiver);
        },
      });
    const folds = vi.spyOn(String.prototype, 'normalize');
    columnsOf(counted(titles), rows.map(counted), {});
    const work = reads + folds.mock.calls.length;
    folds.mockRestore();
    return work;
  }

  function tableOf(columns: number, title: string, cell: string) {
    return {
      titles: Array.from({ length: columns }, () => title),
      rows: Array.from({ length: 5 }, () => Array.from({ length: columns }, () => cell)),
    };
  }

  function withParts({ titles, rows }: ReturnType<typeof tableOf>) {
    return {
      titles: ['First name', 'Last name', ...titles],
      rows: rows.map((row) => ['Ada', 'Lovelace', ...row]),
    };
  }
});

test.each([
  ['as many columns as 16 kB can have', 'Ad,'.repeat(5_400)],
  ['more than 16 kB of them', 'name,email,team,'.repeat(10_000)],
  ['semicolons between them', 'Name;'.repeat(2_000)],
  ['a note above them', `Staff\n${'Email,'.repeat(1_200)}`],
])('a header line with too many columns is refused with what to do: %s', async (_which, header) => {
  const folds = vi.spyOn(String.prototype, 'normalize');
  const { problem } = await previewImport(Buffer.from(`${header}\n`).subarray(0, IMPORT_SNIFF_BYTES), {});
  expect(problem).toMatch(
    /^The row on line [12] has more than 1,000 columns\. Delete those that are not needed: the name, the email address and the team are enough\. Nothing was imported\.$/,
  );
  expect(folds.mock.calls.length).toBeLessThan(5_000);
});

test('as many columns as there may be are read, and empty ones behind them are none', async () => {
  const more = Array.from({ length: IMPORT_COLUMNS_MAX - 2 }, (_, n) => n).join();
  const file = `name,email,${more}${','.repeat(9_000)}\nAda,ada@a.test\n`;
  expect(await previewImport(Buffer.from(file), {})).toMatchObject({ problem: null, rowsRead: 1, rowsRejected: 0 });
});

test('a row among others may have more cells than that, and costs only itself', async () => {
  const file = `name,email,team\nAda,ada@a.test,A\nBen,ben@a.test,${'x,'.repeat(1_500)}\n`;
  const { rows } = await read(file);
  expect(rows).toMatchObject([{ name: 'Ada' }, { reason: expect.stringContaining('has more cells than the header') }]);
});

test('looking for the header of another table ends, however many rows are like one', async () => {
  const like = `${'Name,'.repeat(900)}\n`;
  const folds = vi.spyOn(String.prototype, 'normalize');
  const { rows } = await read(`team,name,email\n${'T,Ada,ada@a.test\n'.repeat(4_000)}${like.repeat(500)}`);
  expect(rows).toHaveLength(4_500);
  expect(folds.mock.calls.length).toBeLessThan(4 * IMPORT_HEADERS_SOUGHT_CHARS_MAX);
});

test('a cell far longer than any name or team is refused before it is looked into', async () => {
  const long = "'=".repeat(7_000);
  const folds = vi.spyOn(String.prototype, 'normalize');
  const { rows } = await read(
    `name,email,team\n${`Ada,ada@a.test,A\n`.repeat(100)}${long},b@a.test,B\nBen,b@a.test,${long}\n`,
  );
  expect(rows.slice(-2)).toMatchObject([
    { reason: 'the name is longer than 120 characters' },
    { reason: 'the team is longer than 120 characters' },
  ]);
  expect(folds.mock.contexts.filter((text) => String(text).length > 1_000)).toEqual([]);
});

describe('a row of delimiters alone ends the import before it fills the memory', () => {
  test('the rest of the file is not read', async () => {
    let sent = 0;
    const chunks = function* () {
      yield Buffer.from(`name,email\nAda,ada@a.test\n${'Ben,ben@a.test\n'.repeat(10_000)}`);
      for (; sent < 1_000; sent++) yield Buffer.alloc(64 * 1_024, ',');
    };
    const { rows, error } = await read(chunks());
    expect(rows).toHaveLength(10_001);
    expect(error).toContain(`The row after line 10002 has more than 16,384 cells. The rows before it were imported.`);
    expect(sent).toBeLessThan(100);
  });

  test('the same is said of it when it ends', async () => {
    const people = 'Ben,ben@a.test\n'.repeat(10_000);
    const { rows, error } = await read(`name,email\n${people}${','.repeat(IMPORT_ROW_CELLS_MAX)}\nAda,ada@a.test\n`);
    expect(rows).toHaveLength(10_000);
    expect(error).toContain('The row after line 10001 has more than 16,384 cells.');
  });
});

/** The rows, and what was thrown after them. */
async function read(file: string | Iterable<Buffer>) {
  const rows: object[] = [];
  try {
    for await (const row of readEmployees(Readable.from(typeof file === 'string' ? [Buffer.from(file)] : file)))
      rows.push(row);
    return { rows, error: undefined };
  } catch (error) {
    return { rows, error: (error as Error).message };
  }
}
