import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DESKTOP,
  launchBrowser,
  openVisitor,
  product,
  signIn,
  takePictures,
  type Visitor,
} from '../../browser/browser.ts';
import { expectToFit, expectViewsToFit, NARROWEST } from '../../browser/fit.ts';
import { encode } from './encode.ts';

let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
  const { urls, login } = product();
  await visitor.page.goto(urls.dashboard);
  await signIn(visitor.page, login.email, login.password);
});
afterAll(() => browser?.close());

test('employees are listed and imported on a phone of 360 pixels', async () => {
  const { page } = visitor;
  await expectViewsToFit(page, ['#/employees']);
  await takePictures(page, 'employees');
  await page.getByRole('button', { name: 'Import from CSV' }).click();
  await expectToFit(page, 'the import');
  visitor.expectNoFaults();
});

test('a file in an old code page is shown before it is imported, and read as chosen', async () => {
  const { page } = visitor;
  await page.setViewportSize(DESKTOP);
  await page.reload();
  await page.getByRole('button', { name: 'Import from CSV' }).click();
  const rows = [
    'Nr;Pracownik;E-mail;Dział',
    '7;Łukasz Żółć;lukasz@preview.test;Księgowość',
    '8;Zofia Świątek;nobody;Kadry',
  ];
  const buffer = encode(`${rows.join('\r\n')}\r\n`, 'windows-1250');
  await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
  const panel = page.getByRole('region', { name: 'Import employees' });
  await panel.getByText('The encoding of this file is a guess').waitFor();
  expect(await panel.getByLabel('Encoding').inputValue()).toBe('windows-1250');
  await panel.getByRole('cell', { name: 'Łukasz Żółć in Księgowość' }).waitFor();
  await panel.getByText('The file has 2 rows: 1 can be imported, 1 would be rejected').waitFor();
  await takePictures(page, 'import-preview');
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, 'the preview');
  await page.setViewportSize(DESKTOP);

  await panel.getByLabel('Encoding').selectOption('windows-1251');
  await panel
    .getByRole('cell', { name: /^Јukasz/ })
    .first()
    .waitFor();
  await panel.getByLabel('Encoding').selectOption('windows-1250');
  await panel.getByLabel('Column 4, Dział').selectOption('');
  await panel.getByRole('cell', { name: 'Łukasz Żółć in General' }).waitFor();
  await panel.getByLabel('Column 4, Dział').selectOption('team');
  await panel.getByRole('cell', { name: 'Łukasz Żółć in Księgowość' }).waitFor();
  await panel.getByRole('button', { name: 'Import', exact: true }).click();
  await panel.getByText('1 added, 0 updated, 0 unchanged, 1 rejected').waitFor();
  await panel
    .getByText('Read as Central European (windows-1250), separated by semicolons; name from “Pracownik”')
    .waitFor();
  await takePictures(page, 'import-report');

  // A name that the first rows do not reach is shown beside them.
  const many = [
    ...Array.from({ length: 20 }, (_, nth) => `Ben ${nth};ben${nth}@preview.test`),
    'Łukasz;l@preview.test',
  ];
  const further = encode(`Name;E-mail\r\n${many.join('\r\n')}\r\n`, 'windows-1250');
  await page.locator('input[type=file]').setInputFiles({ name: 'many.csv', mimeType: 'text/csv', buffer: further });
  await panel.getByText('Line 22: “Łukasz;l@preview.test”').waitFor();
  visitor.expectNoFaults();
});

test('a name of three columns stays whole when another column is chosen', async () => {
  const { page } = visitor;
  await page.goto(`${product().urls.dashboard}#/employees`);
  await page.reload();
  await page.getByRole('button', { name: 'Import from CSV' }).click();
  const buffer = Buffer.from(
    'Voornaam;Tussenvoegsel;Achternaam;E-mail;Locatie\nJan;van der;Berg;jan@preview.test;Delft\n',
  );
  await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
  const panel = page.getByRole('region', { name: 'Import employees' });
  await panel.getByRole('cell', { name: 'Jan van der Berg in General' }).waitFor();
  await panel.getByLabel('Column 5, Locatie').selectOption('team');
  await panel.getByRole('cell', { name: 'Jan van der Berg in Delft' }).waitFor();
  visitor.expectNoFaults();
});

test('the API reference shows an import as a curl command', async () => {
  const { page } = visitor;
  await page.goto(`${product().urls.docs}#get-api-v1-imports-id`);
  const example = await page.locator('#get-api-v1-imports-id pre').first().textContent();
  expect(example).toBe('curl -sS "$API/api/v1/imports/1" \\\n  -H "Authorization: Bearer $TOKEN"');
  visitor.expectNoFaults();
});

test('what is held about one person is downloaded, and erased', async () => {
  const { page } = visitor;
  await page.setViewportSize(DESKTOP);
  await page.goto(`${product().urls.dashboard}#/employees`);
  const first = page
    .getByRole('table', { name: 'Employees' })
    .getByRole('button', { name: /^Data of / })
    .first();
  const name = ((await first.getAttribute('aria-label')) as string).replace('Data of ', '');
  await first.click();
  await takePictures(page, 'employee-data');
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  const file = await (await downloading).path();
  expect(JSON.parse(readFileSync(file, 'utf8')).employees).toMatchObject([{ name }]);
  const before = await page.getByRole('button', { name: `Data of ${name}`, exact: true }).count();
  await first.click();
  await page.getByRole('button', { name: 'Erase…' }).click();
  await takePictures(page, 'employee-erasure');
  await page.getByRole('button', { name: 'Erase', exact: true }).click();
  await expect.poll(() => page.getByRole('button', { name: `Data of ${name}`, exact: true }).count()).toBe(before - 1);
  visitor.expectNoFaults();
});
