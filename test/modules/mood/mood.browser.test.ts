import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from '../../browser/browser.ts';

let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
});
afterAll(() => browser?.close());

test('the seeded owner signs in and sees weeks of moods, as many as are chosen', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
  await page.locator('.heat td[class^=mood]').first().waitFor();
  await takePictures(page, 'seeded-home');
  const days = page.locator('.heat thead th');
  await expect.poll(() => days.count()).toBe(1 + 28);
  await page.getByText(/^Days are counted in UTC: one begins at midnight UTC/).waitFor();
  await page.getByText(/^since midnight UTC/).waitFor();
  await page.getByText('7 days').click();
  await expect.poll(() => days.count()).toBe(1 + 7);
  visitor.expectNoFaults();
});
