import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from '../../browser/browser.ts';
import { linkTo } from '../../browser/catcher.ts';
import { expectToFit, expectViewsToFit, firstLink, NARROWEST } from '../../browser/fit.ts';
import { query } from '../../browser/query.ts';
import { launchSmallCampaign } from '../campaigns/small-campaign.ts';

let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
});
afterEach(() => visitor.expectNoFaults());
afterAll(() => browser?.close());

test('no page of conversations is wider than a phone of 360 pixels', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
  const conversation = await firstLink(page, '#/conversations', /^#\/conversations\/\d+$/);
  await takePictures(page, 'conversations');
  await expectViewsToFit(page, ['#/conversations', conversation]);
  await takePictures(page, 'conversation');
  await page.goto(`${urls.dashboard}#/conversations`);
  await page.getByRole('button', { name: 'Export answers…' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Download CSV' }).waitFor();
  await expectToFit(page, 'the export');
});

test('links that are not valid, misspelt or expired say so in clear words', async () => {
  const { page } = visitor;
  const { urls } = product();
  await page.setViewportSize(NARROWEST);
  for (const token of [`1.1.${'x'.repeat(22)}`, 'x'.repeat(200), '', '%', '%00']) {
    await page.goto(`${urls.chat}/c/${token}`);
    await page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
    await expectToFit(page, 'a link that is not valid');
  }
  visitor.expectNoFaults(/\/chat\/ticket: .* 404 /);
  await takePictures(page, 'link-invalid');

  const { to, campaignId } = await launchSmallCampaign(urls);
  const link = await linkTo(to, '/c/');
  for (const tail of ['.', '%2E', ')', '']) {
    await page.goto(`${link}${tail}`);
    await page.getByText('Question 1 of').waitFor();
  }
  await expectToFit(page, '/c/');
  const expire = `update campaigns set link_expires_at = now() - interval '1 minute' where id = $1 returning id`;
  expect(await query(expire, [campaignId])).toHaveLength(1);
  await page.reload();
  await page.getByRole('heading', { name: 'This check-in is over' }).waitFor();
  await expectToFit(page, 'an expired link');
  await takePictures(page, 'link-expired');
});
