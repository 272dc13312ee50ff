import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DESKTOP, launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from './browser.ts';
import { linkTo } from './catcher.ts';
import { expectNavigationToFit, expectToFit, expectViewsToFit, NARROWEST } from './fit.ts';

/** Up to the home page, with the modules of the sample. The views of the settings, for example, come when they are opened. */
const FIRST_LOAD_GZIP_BYTES_MAX = 70_000;
/** Nor does a page that comes later bring much at once. */
const NEXT_VIEW_GZIP_BYTES_MAX = 8_000;

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
  await page.getByText('Requests being answered', { exact: true }).first().waitFor();
  expect(await page.locator('.process .row').getByText('_').count()).toBe(0);
});

test('no page is wider than a phone of 360 pixels', async () => {
  await expectViewsToFit(page, ['#/', '#/suppressions', '#/operations', '#/settings', '#/nowhere']);
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
});

/** A service with few modules has no “More”. */
const FIT_ON_A_PHONE = 5;

test('on a phone no label of the navigation touches another, and what does not fit opens from “More”', async () => {
  await page.goto(`${product().urls.dashboard}#/`);
  await page.locator('nav a').first().waitFor();
  for (const width of [320, 360, 390, 430]) await expectNavigationToFit(page, width);
  await page.setViewportSize(NARROWEST);
  const settings = page.getByRole('link', { name: 'Settings', exact: true });
  const more = page.getByRole('button', { name: 'More' });
  if ((await page.locator('nav a').count()) <= FIT_ON_A_PHONE) {
    expect([await settings.isVisible(), await more.count()]).toEqual([true, 0]);
    return;
  }
  expect(await settings.isVisible()).toBe(false);
  await more.press('Enter');
  await settings.waitFor();
  await page.keyboard.press('Escape');
  await settings.waitFor({ state: 'hidden' });
  expect(await more.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await settings.click();
  await page.getByRole('heading', { name: 'Security' }).waitFor();
  expect(await settings.isVisible()).toBe(false);

  await more.click();
  await page.setViewportSize(DESKTOP);
  await settings.waitFor();
  expect(await page.locator(':popover-open').count()).toBe(0);
  expect(await more.isVisible()).toBe(false);
});

test('a stranger registers an organisation, signs out and in again', async () => {
  const owner = { email: 'grace@pages.test', password: 'three quiet words' };
  const stranger = await openVisitor(browser, NARROWEST);
  await stranger.page.goto(product().urls.dashboard);
  await stranger.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await takePictures(stranger.page, 'sign-in');
  await stranger.page.getByRole('button', { name: 'Register a new organisation' }).click();
  await expectToFit(stranger.page, 'the registration');
  await stranger.page.getByLabel('Email address').fill(owner.email);
  await takePictures(stranger.page, 'register-ask');
  await stranger.page.getByRole('button', { name: 'Email me a link' }).click();
  await stranger.page.getByText(`A mail is on its way to ${owner.email}.`).waitFor();
  await expectToFit(stranger.page, 'what to do until the mail comes');
  await takePictures(stranger.page, 'register-mailed');
  const link = await linkTo(owner.email, '/register/');
  await stranger.page.goto(link);
  await stranger.page.getByText(`You will sign in as ${owner.email}`).waitFor();
  await expectToFit(stranger.page, 'the page that the link opens');
  await stranger.page.getByLabel('Organisation').fill('Pages Ltd');
  await stranger.page.getByLabel('Your name').fill('Grace Owner');
  await stranger.page.getByLabel('New password').fill(owner.password);
  await takePictures(stranger.page, 'register');
  await stranger.page.getByRole('button', { name: 'Register', exact: true }).click();
  await stranger.page.getByRole('heading', { name: 'Good to see you, Grace' }).waitFor();
  await stranger.page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(stranger.page, owner.email, owner.password);
  expect(await stranger.page.locator('.who').textContent()).toContain('Pages Ltd');
  stranger.expectNoFaults();
  await stranger.page.goto(link);
  await stranger.page.getByText('This link does not work any more').waitFor();
  await takePictures(stranger.page, 'register-gone');
  await stranger.page.getByRole('link', { name: 'Sign in' }).click();
  await stranger.page.getByRole('heading', { name: 'Good to see you, Grace' }).waitFor();
  stranger.expectNoFaults(/ 410 /);
  await stranger.context.close();
});

test('somebody who registers a second time is told by mail that they have an account, and where to go on', async () => {
  const email = 'admin@tunstate.test';
  const stranger = await openVisitor(browser, NARROWEST);
  await stranger.page.goto(product().urls.dashboard);
  await stranger.page.getByRole('button', { name: 'Register a new organisation' }).click();
  await stranger.page.getByLabel('Email address').fill(email);
  await stranger.page.getByRole('button', { name: 'Email me a link' }).click();
  await stranger.page.getByText(`A mail is on its way to ${email}.`).waitFor();
  await stranger.page.goto(await linkTo(email, '/forgotten/'));
  await stranger.page.getByRole('heading', { name: 'Forgotten your password?' }).waitFor();
  await stranger.page.getByRole('button', { name: 'Back to sign in' }).click();
  await stranger.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(stranger.page, email, product().login.password);
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
  const words = await page.locator('#reference').textContent();
  expect(words).not.toMatch(/undefined|\[object|NaN/);
  expect(words).toContain('text or null');
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, '/docs');

  await page.keyboard.press('/');
  await page.keyboard.type('registrations');
  await page.getByText(`3 of ${count} operations`).waitFor();
  await page.getByLabel('Filter the operations').fill('post /api/v1/sessions');
  await page.goto(`${urls.docs}#post-api-v1-registrations`);
  await page.reload();
  const write = page.locator('#post-api-v1-registrations');
  await write.getByText(`--json '{"email":`).waitFor();
  await takePictures(page, 'docs-operation');
  await page.goto(`${urls.docs}#get-api-v1-me`);
  const me = page.locator('#get-api-v1-me');
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

test('the type of a problem leads to a page that says what it means and what to do', async () => {
  const { urls } = product();
  await page.setViewportSize(NARROWEST);
  await page.goto(`${urls.api}/problems/precondition_required`);
  await page.getByRole('heading', { name: '428 Precondition Required' }).waitFor();
  await page.locator('code', { hasText: 'precondition_required' }).waitFor();
  await page.getByRole('heading', { name: 'What to do' }).waitFor();
  await page.setViewportSize({ ...NARROWEST, width: 320 });
  await expectToFit(page, '/problems/', 320);
  await takePictures(page, 'problem');
});

test('up to the home page the dashboard loads less than 70 kB, and each settings page a few more', async () => {
  const { urls, login } = product();
  const newcomer = await openVisitor(browser);
  const loading: Promise<number>[] = [];
  newcomer.context.on('response', (response) => {
    if (/\.(js|css|svg)$|\/$/.test(new URL(response.url()).pathname))
      loading.push(response.body().then(compressedBytes));
  });
  const loaded = async () => (await Promise.all(loading.splice(0))).reduce((sum, bytes) => sum + bytes, 0);
  await newcomer.page.goto(urls.dashboard);
  await signIn(newcomer.page, login.email, login.password);
  await newcomer.page.waitForLoadState('networkidle');
  expect(loading.length).toBeGreaterThan(20);
  expect(await loaded()).toBeLessThan(FIRST_LOAD_GZIP_BYTES_MAX);
  for (const [view, title] of SETTINGS) {
    await newcomer.page.goto(`${urls.dashboard}#/settings${view}`);
    await newcomer.page.getByRole('heading', { name: title, exact: true }).waitFor();
    const bytes = await loaded();
    expect(bytes, title).toBeGreaterThan(0);
    expect(bytes, title).toBeLessThan(NEXT_VIEW_GZIP_BYTES_MAX);
  }
  newcomer.expectNoFaults();
  await newcomer.context.close();
});

const SETTINGS = [
  ['', 'Security'],
  ['/members', 'Members'],
  ['/keys', 'API keys'],
  ['/audit', 'Audit log'],
] as const;

const compressedBytes = (body: Buffer) => gzipSync(body).length;

test('a view whose code does not come says so, and is there after a reload', async () => {
  const { urls } = product();
  await page.setViewportSize(DESKTOP);
  await page.goto(`${urls.dashboard}#/`);
  await page.getByRole('heading', { name: /^Good to see you/ }).waitFor();
  await page.route('**/suppressions.js', (route) => route.abort());
  await page.reload();
  expected = /suppressions\.js/;
  await page.getByRole('link', { name: 'Suppressions', exact: true }).click();
  await page.getByRole('heading', { name: 'This page could not be loaded' }).waitFor();
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('heading', { name: 'Suppressions' }).waitFor();
});

const TABS_MAX = 25;

async function tabTo(reached: () => Promise<boolean>): Promise<void> {
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    await page.keyboard.press('Tab');
    if (await reached()) return;
  }
  throw new Error(`Not reached with ${TABS_MAX} tabs.`);
}
