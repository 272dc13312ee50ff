import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESKTOP, launchBrowser, openVisitor, product, signIn } from '../../browser/browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

// At any moment one of the two has another day than UTC.
test.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago'])(
  'an entry is found under the day that its row shows, also where that is not the day in UTC: %s',
  async (timeZone) => {
    const { page, context, expectNoFaults } = await openVisitor(browser, DESKTOP, timeZone);
    const { urls, login } = product();
    await page.goto(urls.dashboard);
    await signIn(page, login.email, login.password);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('link', { name: 'Audit log' }).click();
    const latest = page.getByRole('table', { name: 'Audit log' }).locator('tbody tr').first();
    await latest.getByText('Signed in').waitFor();
    const day = await page.evaluate(async () => {
      const found = await fetch('/api/v1/audit-log?limit=1&action=session.started');
      const { items } = (await found.json()) as { items: [{ at: string }] };
      return new Date(items[0].at).toLocaleDateString('sv'); // YYYY-MM-DD
    });
    await page.getByText(timeZone).waitFor();
    for (const label of ['From', 'To']) {
      const filtered = page.waitForResponse((answer) => answer.url().includes(`${label.toLowerCase()}=${day}`));
      await page.getByLabel(label).fill(day);
      expect(await page.getByLabel(label).evaluate((input) => input.matches(':valid'))).toBe(true);
      await filtered;
    }
    await latest.getByText('Signed in').waitFor();
    const href = await page.getByRole('link', { name: 'Export as CSV' }).getAttribute('href');
    expect(href).toContain(`timeZone=${encodeURIComponent(timeZone)}`);
    expectNoFaults();
    await context.close();
  },
);
