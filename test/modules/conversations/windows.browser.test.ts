import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, openVisitor, PHONE, product, type Visitor } from '../../browser/browser.ts';
import { linkTo } from '../../browser/catcher.ts';
import { launchSmallCampaign } from '../campaigns/small-campaign.ts';

/** One person with several windows, on the real chat. */
let browser: Browser;
let visitor: Visitor;
let link: string;
let expected: RegExp | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
});
beforeEach(async () => {
  visitor = await openVisitor(browser, PHONE);
  link = await linkTo((await launchSmallCampaign(product().urls)).to, '/c/');
  expected = undefined;
});
afterEach(async () => {
  visitor.expectNoFaults(expected);
  await visitor.context.close();
});
afterAll(() => browser?.close());

const form = (page: Page) => page.getByLabel('Your answer');
const bubbles = (page: Page) => page.locator('.bubble > p').allInnerTexts();
async function openWindow(): Promise<Page> {
  const page = await visitor.context.newPage();
  await page.goto(link);
  await page.getByText('Question 1 of').waitFor();
  return page;
}

test('two windows show the same until the end, and neither overwrites what is written in the other', async () => {
  const [left, right] = [await openWindow(), await openWindow()];
  await form(right).fill('begun for the first question');
  await form(left).fill('from the left');
  await form(left).press('Enter');
  for (const page of [left, right]) await page.getByText('Question 2 of').waitFor();
  expect(await form(right).inputValue()).toBe('begun for the first question');
  await form(right).press('Enter');
  await right.getByText('Another question has come').waitFor();
  expect(await bubbles(right)).toHaveLength(3);
  await form(right).press('Enter');
  for (let question = 3; question <= 5; question++) {
    for (const page of [left, right]) await page.getByText(`Question ${question} of`).waitFor();
    await form(left).fill(`answer ${question}`);
    await form(left).press('Enter');
  }
  for (const page of [left, right]) {
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(await form(page).isVisible()).toBe(false);
  }
  expect(await bubbles(left)).toHaveLength(11);
  expect(await bubbles(right)).toEqual(await bubbles(left));
});

test('an answer written without a network is delivered by the next visit, although its window was closed', async () => {
  expected = /WebSocket connection to .* failed|ERR_INTERNET_DISCONNECTED/;
  const first = await openWindow();
  await visitor.context.setOffline(true);
  await first.getByText('You are offline.').waitFor();
  await form(first).fill('written in a tunnel');
  await form(first).press('Enter');
  await first.getByText('Your answer is kept on this device').waitFor();
  await first.close();
  await visitor.context.setOffline(false);

  const second = await visitor.context.newPage();
  await second.goto(link);
  await second.getByText('Question 2 of').waitFor();
  expect((await bubbles(second))[1]).toBe('written in a tunnel');
  await second.locator('.bubble.mine:not(.sending)', { hasText: 'delivered' }).waitFor();
});
