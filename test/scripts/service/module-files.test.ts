import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf, tablesOf, usesOf } from '../../../scripts/service/module-files.ts';

const PROJECT = {
  'migrations/0004-orders.sql': 'create table orders (id int);\ncreate table order_lines (id int);',
  'migrations/0009-orders-by-day.sql': 'create index …',
  'migrations/0010-ordersheets.sql': 'create table ordersheets (id int);',
  'src/modules/orders/orders.ts': '',
  'src/modules/invoices/invoices.ts': "import { order } from '../orders/orders.ts';",
  'src/modules/reports/queries.ts': 'sql`select * from order_lines`',
  'src/modules/stocks/queries.ts': "db.selectFrom('stocks')",
  'bench/modules/orders/bench.ts': '',
  'docs/orders.md': '',
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'module-files-'));
  for (const [file, text] of Object.entries(PROJECT)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const files = Object.keys(PROJECT);

test('a module has its folders and its migrations, and nothing of a noun that begins alike', () => {
  expect(filesOf('orders', files)).toEqual([
    'migrations/0004-orders.sql',
    'migrations/0009-orders-by-day.sql',
    'src/modules/orders/orders.ts',
    'bench/modules/orders/bench.ts',
  ]);
});

test('its tables are those that its migrations create', () => {
  expect(tablesOf(root, 'orders', files)).toEqual(['orders', 'order_lines']);
});

test('a module stands on another by an import or by a table, and is named with the place', () => {
  expect(usesOf(root, 'orders', ['invoices', 'reports', 'stocks'], files)).toEqual([
    { module: 'invoices', file: 'src/modules/invoices/invoices.ts', what: 'imports ../orders/orders.ts' },
    { module: 'reports', file: 'src/modules/reports/queries.ts', what: 'uses the table order_lines' },
  ]);
});
