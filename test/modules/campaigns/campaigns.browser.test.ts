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
import { linkTo } from '../../browser/catcher.ts';
import { expectToFit, expectViewsToFit, firstLink, NARROWEST, openView } from '../../browser/fit.ts';
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
    const answer = await fetch('/api/v1/campaigns', {
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
  await page.goto(`${urls.dashboard}#/`);
  const card = page.locator('section', { has: page.locator(`a[href="#/campaigns/${id}"]`) });
  await card.getByRole('heading', { name: 'Not being sent now' }).waitFor();
  await takePictures(page, 'home-paused');
  await page.goto(`${urls.dashboard}#/campaigns/${id}`);
  await page.getByRole('button', { name: 'Send again…' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const failed = "select id from reach_outs where campaign_id = $1 and status = 'failed'";
  expect(await query(failed, [id])).toHaveLength(0);
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel campaign' }).click();
  await page.getByText('cancelled', { exact: true }).waitFor();
});

test('failed emails are shown by cause, and sent again one by one, by cause, or all but the suppressed ones', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  const id = await addFailures(login.email);
  const left = async () => (await query<{ cause: string }>(FAILED_CAUSES, [id])).map(({ cause }) => cause).join(' ');
  await page.setViewportSize(DESKTOP);
  await page.goto(`${urls.dashboard}#/campaigns/${id}`);
  const failures = page.locator('.failures li');
  await expect.poll(() => failures.count()).toBe(4);
  const ofCause = (words: string) => failures.filter({ hasText: words });
  expect(await ofCause('returned later').textContent()).toContain('552 5.3.4 returned');
  // One of the two whose mailbox does not exist is suppressed, and says where that is changed.
  expect(await ofCause('does not exist').textContent()).toContain('1 address is suppressed');
  await takePictures(page, 'campaign-failures');
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, 'a campaign with failures');
  await page.setViewportSize(DESKTOP);

  await page.getByLabel('Status').selectOption('failed');
  const rows = page.locator('table.list tbody tr');
  await expect.poll(() => rows.count()).toBe(6);
  await rows.filter({ hasText: '552 5.3.4' }).getByRole('button', { name: 'Send again' }).click();
  await expect.poll(left).toBe('mail recipient recipient unconfirmed unconfirmed');
  await expect.poll(() => failures.count()).toBe(3);

  await ofCause('never confirmed').getByRole('button', { name: 'Send again…' }).click();
  await page.getByText('2 people may get this email twice').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await expect.poll(left).toBe('mail recipient recipient');
  // The page has heard of it as well: its next question names what is left.
  await expect.poll(() => failures.count()).toBe(2);

  await page.getByRole('button', { name: 'Send all again…' }).click();
  await page.getByText('2 emails will be sent again').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await expect.poll(left).toBe('recipient');
  await expect.poll(() => failures.getByRole('button').count()).toBe(0);
});

const FAILED_CAUSES = "select cause from reach_outs where campaign_id = $1 and status = 'failed' order by cause";

/** Six failures of four causes in a campaign that was sent; one of the addresses is suppressed. Returns its id. */
async function addFailures(email: string): Promise<number> {
  const [found] = await query<{ id: string }>(
    `select campaigns.id from campaigns join users on users.org_id = campaigns.org_id
     where users.email = $1 and campaigns.status = 'done' order by campaigns.id desc limit 1`,
    [email],
  );
  const id = Number(found?.id);
  await query(
    "update reach_outs set status = 'sent', cause = null, error = null where campaign_id = $1 and status = 'failed'",
    [id],
  );
  await query(
    `update reach_outs set status = 'failed', cause = given.cause, error = given.error
     from (values (1, 'recipient', '550 5.1.1 no such user'), (2, 'recipient', '550 5.2.1 disabled'),
       (3, 'mail', '554 5.6.0 content rejected'), (4, 'unconfirmed', 'no answer'), (5, 'unconfirmed', 'no answer'),
       (6, 'bounced', '552 5.3.4 returned')) as given (nth, cause, error)
     where reach_outs.id = (select id from reach_outs where campaign_id = $1 order by id offset given.nth limit 1)`,
    [id],
  );
  await query(
    `insert into suppressions (org_id, address, reason, detail)
     select r.org_id, e.email, 'bounce', r.error from reach_outs r join employees e on e.id = r.employee_id
     where r.campaign_id = $1 and r.error like '550 5.1.1%'`,
    [id],
  );
  await query('update campaign_progress set failed = 6, sent = recipients - 6 where campaign_id = $1', [id]);
  // Paused: what is sent again stays where the test can count it.
  await query(
    `update campaigns set status = 'paused', finished_at = null, paused_about = 'person', paused_at = now(),
       link_expires_at = now() + interval '1 day' where id = $1`,
    [id],
  );
  return id;
}

test('the list of suppressed addresses is searched, and an address is lifted by name', async () => {
  const { page } = visitor;
  await page.setViewportSize(DESKTOP);
  await openView(page, '#/suppressions');
  const rows = page.locator('table.list tbody tr');
  await rows.first().waitFor();
  const before = await rows.count();
  await page.getByRole('button', { name: 'Add an address…' }).click();
  await page.getByLabel('Email address').fill('Never.Again@corp.test');
  await page.getByRole('button', { name: 'Suppress', exact: true }).click();
  const row = rows.filter({ hasText: 'never.again@corp.test' });
  await row.waitFor();
  await expect.poll(() => rows.count()).toBe(before + 1);
  await takePictures(page, 'suppressions');
  await page.getByLabel('Search').fill('never');
  await expect.poll(() => rows.count()).toBe(1);
  await row.getByRole('button', { name: 'Lift…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click();
  await row.getByText('lifted').waitFor();
  expect(await row.textContent()).toMatch(/by \w+/);
});

test('a test email opens a preview that stores nothing', async () => {
  const { page } = visitor;
  const { urls, login } = product();
  await page.setViewportSize(DESKTOP);
  const draft = await firstLink(page, '#/campaigns', /^#\/campaigns\/\d+$/);
  await page.goto(`${urls.dashboard}${draft}`);
  await page.getByRole('button', { name: 'Send me a test' }).click();
  await page.getByText(`A test is on its way to ${login.email}`).waitFor();
  const link = await linkTo(login.email, '/preview/');
  await page.goto(link);
  await page.getByRole('heading', { name: 'Preview' }).waitFor();
  await expect.poll(() => page.locator('#questions li').count()).toBeGreaterThan(1);
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, '/preview/');
  await takePictures(page, 'preview');
});

test('the unsubscribe link asks first, and then unsubscribes', async () => {
  const { page } = visitor;
  const { urls } = product();
  const { to, unsubscribe } = await launchSmallCampaign(urls);
  await page.setViewportSize(NARROWEST);

  expected = /\/u\/1.1.nonsense: .* 404 /;
  await page.goto(`${urls.api}/u/1.1.nonsense`);
  await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
  await expectToFit(page, 'an unsubscribe link that is not complete');

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

test('a placeholder that does not exist is said beside its field, while it is typed and when it is saved', async () => {
  const { page } = visitor;
  await page.goto(`${product().urls.dashboard}#/campaigns/new`);
  await page.getByLabel('Name', { exact: true }).fill('With a mistake');
  expected = /\/api\/v1\/campaigns(\/preview)?: .* 400 /;
  await page.getByLabel('Subject').fill('Hello {{frist_name}}');
  const beside = page.locator('.field', { has: page.getByLabel('Subject') }).getByRole('alert');
  await beside.getByText('{{frist_name}} is not a placeholder').waitFor();
  await page.getByRole('button', { name: 'Save as draft' }).click();
  await beside.getByText('{{frist_name}} is not a placeholder').waitFor();
  await takePictures(page, 'campaign-placeholder');
  await page.getByLabel('Subject').fill('Hello {{name}}');
  await expect.poll(() => beside.count()).toBe(0);
  await page.getByRole('button', { name: 'Save as draft' }).click();
  await page.getByRole('heading', { name: 'With a mistake' }).waitFor();
});

test('of two people who edit one draft the second one keeps what was typed, and sees what the first one saved', async () => {
  const { page } = visitor;
  const { urls } = product();
  const form = (path: string) => page.goto(`${urls.dashboard}#/campaigns/${path}`);
  await form('new');
  await page.getByLabel('Name', { exact: true }).fill('Edited by two');
  await page.getByLabel('Subject').fill('As it was');
  await page.getByRole('button', { name: 'Save as draft' }).click();
  await page.getByRole('heading', { name: 'Edited by two' }).waitFor();
  const id = Number(page.url().split('/').at(-1));
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Subject').fill('As I want it');

  // Somebody else, in another window.
  await query(
    `update campaigns set subject = 'As they want it', name = 'Named by them', version = version + 1 where id = $1`,
    [id],
  );
  expected = /\/api\/v1\/campaigns\/\d+(\/(launch|cancel))?: .* 412 /;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody else has changed this meanwhile').waitFor();
  expect(await page.getByLabel('Subject').inputValue()).toBe('As I want it');
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Named by them');
  await page.getByText('As they want it').waitFor();
  await takePictures(page, 'campaign-changed-meanwhile');
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, 'a draft that somebody else has changed');
  await page.setViewportSize(DESKTOP);
  await page.getByRole('button', { name: 'Use theirs' }).click();
  expect(await page.getByLabel('Subject').inputValue()).toBe('As they want it');
  await page.getByLabel('Subject').fill('As we want it');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { name: 'Named by them' }).waitFor();

  await page.getByRole('button', { name: 'Launch…' }).click();
  await page.getByText('“As we want it”').waitFor();
  await query(`update campaigns set subject = 'Changed again', version = version + 1 where id = $1`, [id]);
  await page.getByRole('button', { name: /^Send \d/ }).click();
  await page.getByText('This is how it is now.').waitFor();
  await page.getByText('“Changed again”').waitFor();
  expect(await query('select status from campaigns where id = $1', [id])).toEqual([{ status: 'draft' }]);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  // The one who cancels has seen another schedule.
  await query(
    `update campaigns set status = 'scheduled', launch_at = '2099-01-31T09:00Z', version = version + 1 where id = $1`,
    [id],
  );
  await page.reload();
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await query(`update campaigns set launch_at = '2098-01-31T09:00Z', version = version + 1 where id = $1`, [id]);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel campaign' }).click();
  await page.getByText('Somebody else has changed this meanwhile, so nothing was done.').waitFor();
  await page.getByText('2098').waitFor();
  expect(await query('select status from campaigns where id = $1', [id])).toEqual([{ status: 'scheduled' }]);
  await page.getByRole('dialog').getByRole('button', { name: 'Keep sending' }).click();
  await query(`update campaigns set status = 'cancelled', version = version + 1 where id = $1`, [id]);
});
