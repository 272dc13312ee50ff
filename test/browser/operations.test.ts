import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { MODULES } from '../../src/modules.ts';
import { until } from '../database.ts';
import { launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from './browser.ts';
import { expectViewsToFit } from './fit.ts';

let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
  page = visitor.page;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
});
afterEach(() => visitor.expectNoFaults());
afterAll(() => browser?.close());

test('the operations page is live', async () => {
  await page.getByRole('link', { name: 'Operations', exact: true }).first().click();
  const card = (name: string) =>
    page.locator('.process', { has: page.getByRole('heading', { name: new RegExp(`^${name} `) }) });
  for (const name of ['api', 'mailer', 'chat']) {
    const first = await card(name).first().textContent();
    await until(`the card of ${name} moves`, async () => (await card(name).first().textContent()) !== first);
  }
  await page.getByRole('heading', { name: 'Replica usable' }).waitFor();
  const queues = await page.getByRole('table', { name: 'Queues' }).locator('tbody tr').allTextContents();
  expect(queues).toHaveLength(MODULES.flatMap((module) => module.queues ?? []).length);
  for (const queue of queues) expect(queue).toMatch(/^[a-z-]+\d+$/); // its name, then its counts
  await takePictures(page, 'operations');
});

test('others have no link to it, and read whom it is for when they open its address', async () => {
  const other = await openVisitor(browser);
  const { urls, login } = product();
  await other.page.goto(urls.dashboard);
  await signIn(other.page, 'owner@tunstate.test', login.password);
  await other.page.goto(`${urls.dashboard}#/operations`);
  await other.page.getByText('This page is for those who run the platform').waitFor();
  await takePictures(other.page, 'operations-for-others');
  await expectViewsToFit(other.page, ['#/operations']);
  expect(await other.page.getByRole('link', { name: 'Operations', exact: true }).count()).toBe(0);
  expect(await other.page.getByRole('link', { name: 'Go to the home page' }).count()).toBe(1);
  other.expectNoFaults();
  await other.context.close();
});

test('the operations page says so when the mailer is killed and when it is back', async () => {
  const { mailer } = product().pids;
  process.kill(mailer as number, 'SIGKILL');
  const gone = page.locator('.process', { hasText: `pid ${mailer}` });
  await until(
    'the dead mailer is shown as silent or gone',
    async () => (await gone.count()) === 0 || (await gone.locator('.status.bad').count()) > 0,
  );
  await takePictures(page, 'operations-mailer-killed');
  await until('the mailer runs again', () => product().pids['mailer'] !== mailer);
  await page
    .locator('.process', { hasText: `pid ${product().pids['mailer']}` })
    .locator('.status.good')
    .waitFor();
});
