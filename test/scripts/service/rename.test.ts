import { expect, test } from 'vitest';
import { renamed, serviceNameOf } from '../../../scripts/service/rename.ts';

const name = serviceNameOf('Acme Invoices');

test('a name has a form for titles, one for packages and one for databases', () => {
  expect(name).toEqual({ title: 'Acme Invoices', kebab: 'acme-invoices', snake: 'acme_invoices' });
});

test.each(["Ann's", 'a/b', '../x', '$(x)', '', '3M', 'x'.repeat(41)])('"%s" is refused with an example', (title) => {
  expect(() => serviceNameOf(title)).toThrow('for example "Acme Invoices"');
});

// Each line as it stands in a file of the project.
test.each([
  ['# Tardigrade', '# Acme Invoices'],
  ['"name": "tardigrade",', '"name": "acme-invoices",'],
  ["path.join(ROOT, '.tardigrade')", "path.join(ROOT, '.acme-invoices')"],
  ["name: 'tardigrade_queries_total'", "name: 'acme_invoices_queries_total'"],
  ["'tardigrade_tenant'", "'acme_invoices_tenant'"],
  ["'tardigrade_session'", "'acme_invoices_session'"],
  ["const DATABASE = 'tardigrade';", "const DATABASE = 'acme_invoices';"],
  ["const OWNER_ROLE = 'tardigrade';", "const OWNER_ROLE = 'acme_invoices';"],
  ['create role tardigrade login', 'create role acme_invoices login'],
  ['create database tardigrade owner tardigrade;', 'create database acme_invoices owner acme_invoices;'],
  ['--username=tardigrade, --dbname=tardigrade]', '--username=acme_invoices, --dbname=acme_invoices]'],
  [
    'postgres://tardigrade:secret@primary:5432/tardigrade',
    'postgres://acme_invoices:secret@primary:5432/acme_invoices',
  ],
  [
    'postgres://tardigrade_worker:x@primary:5432/tardigrade',
    'postgres://acme_invoices_worker:x@primary:5432/acme_invoices',
  ],
  ['Tardigrade <hello@tardigrade.test>', 'Acme Invoices <hello@acme-invoices.test>'],
  ['docker run tardigrade api', 'docker run acme-invoices api'],
])('%s becomes %s', (before, after) => {
  expect(renamed(before, name)).toBe(after);
});
