import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  DESKTOP,
  launchBrowser,
  openVisitor,
  product,
  signIn,
  takePictures,
  type Visitor,
} from '../../browser/browser.ts';
import { expectToFit, expectViewsToFit, firstLink, NARROWEST } from '../../browser/fit.ts';
import { query } from '../../browser/query.ts';
import { launchSmallCampaign } from './small-campaign.ts';

let browser: Browser;
let visitor: Visitor;
let expected: RegExp | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
});
afterEach(() => {
  visitor.expectNoFaults(expected);
  expected = undefined;
});
afterAll(() => browser?.close());

test('no page of campaigns is wider than a phone of 360 pixels', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
  const campaign = await firstLink(page, '#/campaigns', /^#\/campaigns\/\d+$/);
  await takePictures(page, 'campaigns');
  await expectViewsToFit(page, ['#/campaigns', '#/campaigns/new', campaign]);
  await takePictures(page, 'campaign');
});

test('the schedule dialog shows when the campaign would be sent, and refuses a star too many before saving', async () => {
  const { page } = visitor;
  const { urls } = product();
  await page.setViewportSize(DESKTOP);
  const id = await page.evaluate(async () => {
    const body = JSON.stringify({ name: 'Weekly', subject: 'Hello', body: 'How are you?' });
    const answer = await fetch('/api/campaigns', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    return ((await answer.json()) as { id: number }).id;
  });
  await page.goto(`${urls.dashboard}#/campaigns/${id}`);
  await page.getByRole('button', { name: 'Schedule…' }).click();
  const launches = page.locator('.launches li');
  await page.getByText('It is sent, in UTC:').waitFor();
  await expect.poll(() => launches.count()).toBe(1);

  await page.getByText('Repeating').click();
  await page.getByLabel('Time zone').selectOption('America/New_York');
  await page.getByText('The next times, in America/New_York:').waitFor();
  await expect.poll(() => launches.count()).toBe(3);
  for (const text of await launches.allInnerTexts()) expect(text).toMatch(/^Monday.* 0?9:00/);
  await takePictures(page, 'schedule');

  expected = /schedule-preview: .* 400 /;
  await page.getByLabel('Repeat', { exact: true }).selectOption({ label: 'Custom (cron)…' });
  await page.getByLabel('Cron expression').fill('* 9 * * 1');
  await page.getByText('This is 60 launches between 9:00 and 9:59').waitFor();
  await takePictures(page, 'schedule-refused');
  await page.getByLabel('Cron expression').fill('30 9 * * 1');
  await expect.poll(() => launches.count()).toBe(3);
  await page.getByRole('button', { name: 'Schedule', exact: true }).click();
  await page.getByText('30 9 * * 1 (America/New_York)').waitFor();
});

test('the page of a held campaign says why, and a failed recipient can be sent to again', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  const [found] = await query<{ id: string }>(
    `select campaigns.id from campaigns join users on users.org_id = campaigns.org_id
     join campaign_progress as progress on progress.org_id = campaigns.org_id and campaign_id = campaigns.id
     where users.email = $1 and progress.failed > 0 order by campaigns.id desc limit 1`,
    [login.email],
  );
  const id = Number(found?.id);
  await query(
    `update campaigns set status = 'sending', finished_at = null, paused_about = 'sender', paused_at = now(),
       link_expires_at = now() + interval '1 day', next_try_at = now() + interval '1 hour',
       paused_reason = '550 5.7.60 client is not allowed to send as this sender' where id = $1`,
    [id],
  );
  await page.setViewportSize(NARROWEST);
  await page.goto(`${urls.dashboard}#/campaigns/${id}`);
  await page.getByText('does not accept emails from our address or account').waitFor();
  await page.getByText('550 5.7.60 client is not allowed').first().waitFor();
  await expectToFit(page, `#/campaigns/${id}`);
  await takePictures(page, 'campaign-held');

  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Somebody paused this campaign').waitFor();
  await page.getByRole('button', { name: 'Send again…' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const failed = "select id from reach_outs where campaign_id = $1 and status = 'failed'";
  expect(await query(failed, [id])).toHaveLength(0);
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel campaign' }).click();
  await page.getByText('cancelled', { exact: true }).waitFor();
});

test('the unsubscribe link asks first, and then unsubscribes', async () => {
  const { page } = visitor;
  const { urls } = product();
  const { to, unsubscribe } = await launchSmallCampaign(urls);
  await page.setViewportSize(NARROWEST);

  expected = /\/u\/1.1.nonsense: .* 404 /;
  await page.goto(`${urls.api}/u/1.1.nonsense`);
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();

  await page.goto(unsubscribe);
  await page.getByRole('heading', { name: 'Unsubscribe from these emails?' }).waitFor();
  await expectToFit(page, '/u/');
  await takePictures(page, 'unsubscribe');
  const unsubscribed = 'select id from employees where email = $1 and unsubscribed_at is not null';
  expect(await query(unsubscribed, [to])).toHaveLength(0);
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await page.getByRole('heading', { name: 'You are unsubscribed' }).waitFor();
  await takePictures(page, 'unsubscribed');
  expect(await query(unsubscribed, [to])).toHaveLength(1);
});

test('a question is answered in words or on a scale, as its author chooses', async () => {
  const { page } = visitor;
  const { urls } = product();
  await page.goto(`${urls.dashboard}#/campaigns/new`);
  await page.getByLabel('Name', { exact: true }).fill('With a scale');
  await page.getByLabel('How question 1 is answered').selectOption('on a scale');
  await expectToFit(page, '#/campaigns/new');
  await takePictures(page, 'questions');
  await page.getByRole('button', { name: 'Save as draft' }).click();
  await page.getByRole('heading', { name: 'With a scale' }).waitFor();
  expect(await page.getByText('1 to 5').count()).toBe(1);
  await page.getByRole('link', { name: 'Edit' }).click();
  await expect.poll(() => page.getByLabel('How question 1 is answered').inputValue()).toBe('scale');
  expect(await page.getByLabel('How question 2 is answered').inputValue()).toBe('text');
});
