import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from '../../browser/browser.ts';
import { expectToFit, expectViewsToFit } from '../../browser/fit.ts';

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

test('the API reference shows an import as a curl command', async () => {
  const { page } = visitor;
  await page.goto(`${product().urls.docs}#get-api-imports-id`);
  const example = await page.locator('#get-api-imports-id pre').first().textContent();
  expect(example).toBe('curl -sS "$API/api/imports/1" \\\n  -H "Authorization: Bearer $TOKEN"');
  visitor.expectNoFaults();
});
