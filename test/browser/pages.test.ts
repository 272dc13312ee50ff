import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DESKTOP, launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from './browser.ts';
import { expectToFit, expectViewsToFit, NARROWEST } from './fit.ts';

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
  const field = page.getByLabel('Email address');
  await field.waitFor();
  await tabTo(() => field.evaluate((node) => node.ownerDocument.activeElement === node));
  await page.keyboard.type(login.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(login.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Good to see you/ }).waitFor();
  const link = page.getByRole('link', { name: 'Operations', exact: true }).first();
  await tabTo(() => link.evaluate((node) => node.ownerDocument.activeElement === node));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Operations' }).waitFor();
});

test('no page is wider than a phone of 360 pixels', async () => {
  await expectViewsToFit(page, ['#/', '#/suppressions', '#/operations', '#/nowhere']);
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
});

test('a stranger registers an organisation, signs out and in again', async () => {
  const owner = { email: 'grace@pages.test', password: 'three quiet words' };
  const stranger = await openVisitor(browser, NARROWEST);
  await stranger.page.goto(product().urls.dashboard);
  await stranger.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await takePictures(stranger.page, 'sign-in');
  await stranger.page.getByRole('button', { name: 'Register a new organisation' }).click();
  await expectToFit(stranger.page, 'the registration');
  await stranger.page.getByLabel('Organisation').fill('Pages Ltd');
  await stranger.page.getByLabel('Your name').fill('Grace Owner');
  await stranger.page.getByLabel('Email address').fill(owner.email);
  await stranger.page.getByLabel('Password').fill(owner.password);
  await takePictures(stranger.page, 'register');
  await stranger.page.getByRole('button', { name: 'Register', exact: true }).click();
  await stranger.page.getByRole('heading', { name: 'Good to see you, Grace' }).waitFor();
  await stranger.page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(stranger.page, owner.email, owner.password);
  expect(await stranger.page.locator('.who').textContent()).toContain('Pages Ltd');
  stranger.expectNoFaults();
  await stranger.context.close();
});

test('the API reference shows, filters and tries every operation', async () => {
  const { urls, login } = product();
  const { paths } = (await (await fetch(`${urls.docs}/openapi.json`)).json()) as { paths: Record<string, object> };
  const count = Object.values(paths).flatMap(Object.keys).length;
  await page.setViewportSize(DESKTOP);
  await page.goto(urls.docs);
  const operations = page.locator('details.operation');
  await page.getByText(`${count} operations`, { exact: true }).waitFor();
  expect(await operations.count()).toBe(count);
  await takePictures(page, 'docs');
  for (const summary of await operations.locator('> summary').all()) await summary.press('Enter');
  await expect.poll(() => operations.locator('pre', { hasText: 'curl -sS' }).count()).toBe(count);
  expect(await page.locator('#reference').textContent()).not.toMatch(/undefined|\[object|NaN/);
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, '/docs');

  await page.keyboard.press('/');
  await page.keyboard.type('registrations');
  await page.getByText(`1 of ${count} operations`).waitFor();
  await page.getByLabel('Filter the operations').fill('post /api/v1/sessions');
  await page.goto(`${urls.docs}#post-api-registrations`);
  await page.reload();
  const write = page.locator('#post-api-registrations');
  await write.getByText(`--json '{"organisation":`).waitFor();
  await takePictures(page, 'docs-operation');
  await page.goto(`${urls.docs}#get-api-me`);
  const me = page.locator('#get-api-me');
  expect(await me.locator('pre').first().textContent()).toBe(
    'curl -sS "$API/api/v1/me" \\\n  -H "Authorization: Bearer $TOKEN"',
  );
  await me.getByText('Try it').click();
  await me.getByRole('button', { name: 'Send' }).click();
  await me.getByText(`"email": "${login.email}"`).waitFor();
  await takePictures(page, 'docs-try');
});

test('an address without a page says so in clear words', async () => {
  const { urls } = product();
  await page.setViewportSize(NARROWEST);
  expected = /\/nowhere: .* 404 /;
  await page.goto(`${urls.api}/nowhere`);
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
  await expectToFit(page, '/nowhere');
  await takePictures(page, 'not-found');
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
