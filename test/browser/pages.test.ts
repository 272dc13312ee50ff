import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client } from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openVisitor, product, takePictures, type Visitor } from './browser.ts';
import { launchSmallCampaign } from './small-campaign.ts';

const NARROWEST = { width: 360, height: 740 };
const WEB = path.resolve(import.meta.dirname, '..', '..', 'web');
const WEB_GZIP_BYTES_MAX = 100_000;

let browser: Browser;
let visitor: Visitor;
let page: Page;
let expected: RegExp | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
  page = visitor.page;
});
afterEach(() => {
  visitor.expectNoFaults(expected);
  expected = undefined;
});
afterAll(() => browser?.close());

test('signing in needs no mouse', async () => {
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  const field = page.getByLabel('Mail address');
  await field.waitFor();
  await tabTo(() => field.evaluate((node) => node.ownerDocument.activeElement === node));
  await page.keyboard.type(login.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(login.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Good to see you/ }).waitFor();
  const link = page.getByRole('link', { name: 'Campaigns', exact: true });
  await tabTo(() => link.evaluate((node) => node.ownerDocument.activeElement === node));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor();
});

test('no page is wider than a phone of 360 pixels', async () => {
  const { urls } = product();
  await page.setViewportSize(NARROWEST);
  const campaign = await firstLink('#/campaigns', /^#\/campaigns\/\d+$/);
  const conversation = await firstLink('#/conversations', /^#\/conversations\/\d+$/);
  const views = ['#/', '#/employees', '#/campaigns', '#/campaigns/new', '#/conversations', '#/operations', '#/nowhere'];
  for (const view of [...views, campaign, conversation]) {
    await page.goto(`${urls.dashboard}${view}`);
    await settled();
    await expectToFit(view);
  }
  await page.goto(`${urls.dashboard}#/employees`);
  await page.getByRole('button', { name: 'Import from CSV' }).click();
  await expectToFit('the import');
  const stranger = await openVisitor(browser, NARROWEST);
  await stranger.page.goto(urls.dashboard);
  await stranger.page.getByRole('button', { name: 'Register a new organisation' }).click();
  await expectToFit('the registration', stranger.page);
  stranger.expectNoFaults();
  await stranger.context.close();
});

test('the API reference shows, filters and tries every operation', async () => {
  const { urls } = product();
  const { paths } = (await (await fetch(`${urls.docs}/openapi.json`)).json()) as { paths: Record<string, object> };
  const count = Object.values(paths).flatMap(Object.keys).length;
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(urls.docs);
  const operations = page.locator('details.operation');
  await page.getByText(`${count} operations`, { exact: true }).waitFor();
  expect(await operations.count()).toBe(count);
  await takePictures(page, 'docs');
  for (const summary of await operations.locator('> summary').all()) await summary.press('Enter');
  await expect.poll(() => operations.locator('pre', { hasText: 'curl -sS' }).count()).toBe(count);
  expect(await page.locator('#reference').textContent()).not.toMatch(/undefined|\[object|NaN/);
  await page.setViewportSize(NARROWEST);
  await expectToFit('/docs');

  await page.keyboard.press('/');
  await page.keyboard.type('launch');
  await page.getByText(`1 of ${count} operations`).waitFor();
  await page.getByLabel('Filter the operations').fill('post /api/sessions');
  await page.goto(`${urls.docs}#post-api-campaigns`);
  await page.reload();
  const write = page.locator('#post-api-campaigns');
  await write.getByText(`--json '{"name":`).waitFor();
  await takePictures(page, 'docs-operation');
  await page.goto(`${urls.docs}#get-api-me`);
  const me = page.locator('#get-api-me');
  await me.getByText('Try it').click();
  await me.getByRole('button', { name: 'Send' }).click();
  await me.getByText('"email": "owner@tardigrade.test"').waitFor();
  await takePictures(page, 'docs-try');
});

test('an operation shows its example as a curl command', async () => {
  const { urls } = product();
  await page.goto(`${urls.docs}#get-api-imports-id`);
  const example = await page.locator('#get-api-imports-id pre').first().textContent();
  expect(example).toBe('curl -sS "$API/api/imports/1" \\\n  -H "Authorization: Bearer $TOKEN"');
});

test('links that are invalid, expired or of somebody who has had enough say so in clear words', async () => {
  const { urls, databaseUrl } = product();
  await page.setViewportSize(NARROWEST);
  const links = await launchSmallCampaign(urls);

  expected = /\/u\/1.1.nonsense: .* 404 |\/nowhere: .* 404 /;
  for (const address of [`${urls.api}/u/1.1.nonsense`, `${urls.api}/nowhere`]) {
    await page.goto(address);
    await page.getByRole('heading', { name: 'Nothing lives here' }).waitFor();
    await expectToFit(address);
  }
  await takePictures(page, 'not-found');

  await page.goto(links.unsubscribe);
  await page.getByRole('heading', { name: 'No more check-in mails?' }).waitFor();
  await expectToFit('/u/');
  await takePictures(page, 'unsubscribe');
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await page.getByRole('heading', { name: 'You are unsubscribed' }).waitFor();
  await takePictures(page, 'unsubscribed');
  expect(
    await query(databaseUrl, 'select from employees where email = $1 and unsubscribed_at is not null', links.to),
  ).toBe(1);

  await page.goto(`${urls.chat}/c/1.1.${'x'.repeat(22)}`);
  await page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
  await expectToFit('an invalid link');
  await takePictures(page, 'link-invalid');

  await page.goto(links.checkIn);
  await page.getByText('Question 1 of').waitFor();
  await expectToFit('/c/');
  const expire = `update campaigns set link_expires_at = now() - interval '1 minute' where id = $1`;
  expect(await query(databaseUrl, expire, links.campaignId)).toBe(1);
  await page.reload();
  await page.getByRole('heading', { name: 'This check-in is over' }).waitFor();
  await expectToFit('an expired link');
  await takePictures(page, 'link-expired');
});

test('all pages together weigh less than 100 kB', () => {
  const files = readdirSync(WEB, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const sizes = files.map((file) => gzipSync(readFileSync(path.join(file.parentPath, file.name))).length);
  expect(sizes.length).toBeGreaterThan(20);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(WEB_GZIP_BYTES_MAX);
});

const TABS_MAX = 25;

async function tabTo(reached: () => Promise<boolean>): Promise<void> {
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    await page.keyboard.press('Tab');
    if (await reached()) return;
  }
  throw new Error(`Not reached with ${TABS_MAX} tabs.`);
}

/** The address of the first link on a view that looks like `pattern`. */
async function firstLink(view: string, pattern: RegExp): Promise<string> {
  await page.goto(`${product().urls.dashboard}${view}`);
  await page.locator('table.list a').first().waitFor();
  const links = await page
    .locator('table.list a')
    .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('href')));
  const found = links.find((link) => link !== null && pattern.test(link));
  if (found === undefined || found === null) throw new Error(`No link on ${view}`);
  return found;
}

async function settled(): Promise<void> {
  await page.locator('main h1').waitFor();
  await expect.poll(() => page.locator('main [aria-busy], main :text("Loading…")').count()).toBe(0);
}

async function expectToFit(what: string, shown = page): Promise<void> {
  const width = await shown.locator('html').evaluate((node) => node.scrollWidth);
  expect(width, `the width of ${what}`).toBeLessThanOrEqual(NARROWEST.width);
}

async function query(url: string, text: string, value: unknown): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(text, [value]);
  await client.end();
  return rowCount ?? 0;
}
