import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from '../../browser/browser.ts';
import { query } from '../../browser/query.ts';

let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  // Where answers are seeded there are moods already; elsewhere these are the only ones.
  await query(
    `insert into mood_days (org_id, team_id, day, answers, scored, score_sum)
     select t.org_id, t.id, (now() at time zone 'utc')::date - ago, 10, 10, (t.id + ago) % 9 - 4
     from users u join teams t on t.org_id = u.org_id cross join generate_series(0, 27) as ago
     where u.email = $1 on conflict do nothing`,
    [product().login.email],
  );
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
