import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../../src/http/authentication.ts';
import { launchBrowser, openVisitor, PHONE, product, takePictures, type Visitor } from '../../browser/browser.ts';
import { linkTo } from '../../browser/catcher.ts';
import { expectToFit, NARROWEST } from '../../browser/fit.ts';
import { launchSmallCampaign } from '../campaigns/small-campaign.ts';

/** An employee with a phone, and the owner of the organisation at the dashboard. */
let browser: Browser;
let employee: Visitor;
let owner: Visitor;

beforeAll(async () => {
  browser = await launchBrowser();
  employee = await openVisitor(browser, PHONE);
  owner = await openVisitor(browser);
});
afterAll(() => browser?.close());

test('a check-in is watched live: who is there, who types, each message as it comes; and the owner steps in', async () => {
  const { urls } = product();
  const { to, token } = await launchSmallCampaign(urls);
  const phone = employee.page;
  await phone.goto(await linkTo(to, '/c/'));
  await phone.getByText('Question 1 of').waitFor();
  await phone.getByLabel('Your answer').fill('A good week');
  await phone.getByLabel('Your answer').press('Enter');
  await phone.getByText('Question 2 of').waitFor();

  const desk = owner.page;
  await owner.context.addCookies([{ name: SESSION_COOKIE, value: token, url: urls.dashboard }]);
  await desk.goto(`${urls.dashboard}#/conversations`);
  // The socket is faster than what the page reads of the conversation.
  const isShown = Promise.withResolvers<void>();
  await desk.route(/\/conversations\/\d+$/, (route) => isShown.promise.then(() => route.continue()));
  await desk.getByRole('link', { name: 'Only One' }).click();
  await desk.getByText('The employee has the check-in open now.').waitFor();
  isShown.resolve();
  await desk.getByText('Only One has the check-in open now.').waitFor();
  await phone.getByLabel('Your answer').pressSequentially('The coffee');
  await desk.getByText('Only One is typing…').waitFor();
  await phone.getByLabel('Your answer').press('Enter');
  await desk.locator('.bubble.theirs', { hasText: 'The coffee' }).waitFor();

  await desk.getByLabel('Step in').pressSequentially('We are getting');
  await phone.getByText('Olga Owner is typing…').waitFor();
  await desk.getByLabel('Step in').pressSequentially(' a better machine.');
  await desk.getByRole('button', { name: 'Send as yourself' }).click();
  await phone.locator('.bubble.person', { hasText: 'We are getting a better machine.' }).waitFor();
  await phone.locator('.bubble.person', { hasText: 'Olga Owner' }).waitFor();
  await desk.locator('.bubble.person', { hasText: 'We are getting a better machine.' }).waitFor();
  expect(await desk.getByLabel('Step in').inputValue()).toBe('');
  await takePictures(desk, 'live-watching');
  await takePictures(phone, 'live-stepped-in');
  for (const page of [desk, phone]) {
    await page.setViewportSize(NARROWEST);
    await expectToFit(page, 'live');
  }

  await phone.getByText('Question 3 of').waitFor();
  await phone.close();
  await desk.getByText('Nobody has the check-in open now.').waitFor();
  employee.expectNoFaults();
  owner.expectNoFaults();
});
