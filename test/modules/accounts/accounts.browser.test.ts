import { generateSync } from 'otplib';
import type { Browser, Locator, Page } from 'playwright-core';
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
import { expectToFit, expectViewsToFit, NARROWEST } from '../../browser/fit.ts';

const COLLEAGUE = { email: 'nia@tardigrade.test', password: 'three quiet words', changed: 'four rather louder words' };

let browser: Browser;
let owner: Visitor;
let colleague: Visitor;
let page: Page;
let expected: RegExp | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  owner = await openVisitor(browser);
  colleague = await openVisitor(browser);
  page = owner.page;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
});
afterEach(() => {
  for (const visitor of [owner, colleague]) visitor.expectNoFaults(expected);
  expected = undefined;
});
afterAll(() => browser?.close());

test('an owner invites a colleague, who joins by the link in the mail', async () => {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByLabel('Email address').fill(COLLEAGUE.email);
  await page.getByLabel('Role', { exact: true }).selectOption('admin');
  await takePictures(page, 'settings-invite');
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await page.getByRole('table', { name: 'Open invitations' }).getByText(COLLEAGUE.email).waitFor();
  await takePictures(page, 'settings-members');

  await colleague.page.goto(await linkTo(COLLEAGUE.email, '/join/'));
  await colleague.page.getByRole('heading', { name: /^Join / }).waitFor();
  await takePictures(colleague.page, 'join');
  await colleague.page.setViewportSize(NARROWEST);
  await expectToFit(colleague.page, 'the page to join');
  await colleague.page.getByLabel('Your name').fill('Nia New');
  await colleague.page.getByLabel('New password').fill(COLLEAGUE.password);
  await colleague.page.getByRole('button', { name: 'Join', exact: true }).click();
  await colleague.page.getByRole('heading', { name: 'Good to see you, Nia' }).waitFor();
  await colleague.page.setViewportSize(DESKTOP);
});

test('a link from a mail opens its page as mail programs leave it, or says what is wrong with it', async () => {
  const { context, page: own, expectNoFaults } = await openVisitor(browser);
  const { dashboard, api } = product().urls;
  const email = 'mangled@register.test';
  await fetch(`${api}/api/v1/registrations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email }),
  });
  const link = await linkTo(email, '/register/');
  const [origin = '', path = ''] = link.split('#');
  const token = path.slice(path.lastIndexOf('/') + 1);
  const open = async (hash: string, heading: string) => {
    await own.goto('about:blank');
    await own.goto(`${origin}#${hash}`);
    await own.getByRole('heading', { name: heading }).waitFor();
  };
  for (const whole of [path, `${path}.`, `${path}%3E`, encodeURIComponent(path)])
    await open(whole, 'Register your organisation');
  for (const page of ['register', 'join', 'reset']) await open(`/${page}/`, 'This link is not complete');
  for (const rest of ['', '/%', `/${token.slice(0, -1)}`, `/${token}${token}`])
    await open(`/register${rest}`, 'This link is not complete');
  await takePictures(own, 'link-incomplete');
  await own.setViewportSize(NARROWEST);
  await expectToFit(own, 'a link that is not complete');
  for (const [hash, heading] of [
    ['/second-step/', 'You are not signed in'],
    ['/sign-in-failed/', 'You are not signed in'],
    ['/forgotten/', 'Forgotten your password?'],
  ] as const)
    await open(hash, heading);
  await own.goto(dashboard);
  expectNoFaults();
  await context.close();
});

test('the owner makes the colleague a viewer, and the log has it', async () => {
  await page.reload();
  const role = page.getByLabel('Role of Nia New', { exact: true });
  const saved = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await role.selectOption('viewer');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await saved;
  await page.getByRole('link', { name: 'Audit log' }).click();
  const log = page.getByRole('table', { name: 'Audit log' });
  await log.getByText('to: viewer, from: admin').waitFor();
  await log.getByText('Joined the organisation').first().waitFor();
  await page.getByLabel('Action').selectOption('Changed the role of a member');
  await expect.poll(() => log.getByText('Joined the organisation').count()).toBe(0);
  await log.getByText('to: viewer, from: admin').waitFor();
  await takePictures(page, 'settings-audit');
});

test('an arrow on the keyboard makes nobody an owner: a role is changed when that is confirmed', async () => {
  await page.getByRole('link', { name: 'Members' }).click();
  // Exact: the dialog "Change the role of Nia New?" matches otherwise, until it is removed.
  const role = page.getByLabel('Role of Nia New', { exact: true });
  await role.focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('dialog', { name: 'Change the role of Nia New?' }).getByText('Admin: can change').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await role.inputValue()).toBe('viewer');
  await expect.poll(() => hasFocus(role)).toBe(true);
});

test('on the keyboard the focus goes through a dialog and back, or to the title when its place is gone', async () => {
  await page.getByRole('link', { name: 'API keys' }).click();
  const create = page.getByRole('button', { name: 'Create a key' });
  await create.press('Enter');
  await page.keyboard.type('By keyboard');
  await page.keyboard.press('Enter');
  await expect.poll(() => hasFocus(page.getByRole('heading', { name: 'Your new key' }))).toBe(true);
  await page.keyboard.press('Escape');
  await expect.poll(() => hasFocus(create)).toBe(true);
  await page.getByRole('row', { name: 'By keyboard' }).getByRole('button', { name: 'Revoke' }).press('Enter');
  await page.keyboard.press('Enter');
  await page.getByText('No keys yet.').waitFor();
  await expect.poll(() => hasFocus(page.getByRole('heading', { name: 'API keys' }))).toBe(true);
});

test('a key is shown once, and can be revoked', async () => {
  await page.getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.getByLabel('Name').fill('Nightly report');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const key = await page.locator('pre.secret').textContent();
  expect(key).toMatch(/^\w+_[0-9a-f]{8}_[\w-]{43}$/);
  await takePictures(page, 'settings-key-created');
  const me = await fetch(`${product().urls.api}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
  expect(me.status).toBe(200);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('table', { name: 'API keys' }).getByText('Nightly report').waitFor();
  await takePictures(page, 'settings-keys');
  await page.getByRole('button', { name: 'Revoke' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('No keys yet.').waitFor();
});

test('a forgotten password is reset by mail, which ends the session', async () => {
  const stranger = await openVisitor(browser);
  await stranger.page.goto(product().urls.dashboard);
  await stranger.page.getByRole('button', { name: 'Forgotten your password?' }).click();
  await stranger.page.getByLabel('Email address').fill(COLLEAGUE.email);
  await stranger.page.getByRole('button', { name: 'Email me a link' }).click();
  await stranger.page.getByRole('heading', { name: 'Check your email' }).waitFor();
  await takePictures(stranger.page, 'forgotten');
  await expect.poll(() => linkTo(COLLEAGUE.email, '/reset/').catch(() => undefined)).toBeTruthy();
  await stranger.page.goto(await linkTo(COLLEAGUE.email, '/reset/'));
  await stranger.page.getByLabel('New password').fill(COLLEAGUE.changed);
  await takePictures(stranger.page, 'reset');
  await stranger.page.getByRole('button', { name: 'Set password' }).click();
  await stranger.page.getByRole('heading', { name: 'Your password is set' }).waitFor();
  await stranger.page.getByRole('link', { name: 'Sign in' }).click();
  await signIn(stranger.page, COLLEAGUE.email, COLLEAGUE.changed);
  expected = / 401 /;
  await colleague.page.reload();
  await colleague.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  stranger.expectNoFaults();
  await stranger.context.close();
});

test('people see where they are signed in, and end the others', async () => {
  await signIn(colleague.page, COLLEAGUE.email, COLLEAGUE.changed);
  await colleague.page.getByRole('link', { name: 'Settings' }).click();
  const sessions = colleague.page.getByRole('table', { name: 'Your sessions' });
  await sessions.getByText('this one').waitFor();
  expect(await sessions.locator('tbody tr').count()).toBe(2);
  await takePictures(colleague.page, 'settings-security');
  await colleague.page.getByRole('button', { name: 'End all others' }).click();
  await colleague.page.getByRole('button', { name: 'End them' }).click();
  await expect.poll(() => sessions.locator('tbody tr').count()).toBe(1);
  expect(await colleague.page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
});

test('a second factor is set up with an app, and asked for when signing in', async () => {
  const { page: own } = colleague;
  await own.getByRole('button', { name: 'Set up' }).click();
  await own.getByLabel('Your password').fill(COLLEAGUE.changed);
  await own.getByRole('button', { name: 'Continue' }).click();
  await own.getByAltText('QR code for an authenticator app').waitFor();
  const secret = (await own.locator('dialog code').textContent()) as string;
  await takePictures(own, 'settings-second-factor');
  await own.getByLabel('The six digits').fill(generateSync({ secret }));
  await own.getByRole('button', { name: 'Confirm' }).click();
  const codes = await own.getByLabel('Recovery codes').textContent();
  expect(codes?.split('\n')).toHaveLength(10);
  await takePictures(own, 'settings-recovery-codes');
  await own.getByRole('button', { name: 'I have saved them' }).click();
  await own.getByText('10 recovery codes left').waitFor();

  await own.getByRole('button', { name: 'Sign out' }).click();
  await own.getByLabel('Email address').fill(COLLEAGUE.email);
  await own.getByLabel('Password').fill(COLLEAGUE.changed);
  await own.getByRole('button', { name: 'Sign in', exact: true }).click();
  // The next one is good already, and those up to the one of the confirmation are used up.
  await own.getByLabel('Code', { exact: true }).fill(generateSync({ secret, epoch: Date.now() / 1000 + 30 }));
  await takePictures(own, 'second-step');
  await own.getByRole('button', { name: 'Sign in', exact: true }).click();
  await own.getByRole('heading', { name: 'Security' }).waitFor();
});

test('no page of the settings is wider than a phone of 360 pixels', async () => {
  await expectViewsToFit(page, ['#/settings', '#/settings/members', '#/settings/keys', '#/settings/audit']);
  await takePictures(page, 'settings-narrow');
  await page.setViewportSize(DESKTOP);
});

test('the owner removes the colleague', async () => {
  await page.goto(`${product().urls.dashboard}#/settings/members`);
  await page
    .getByRole('row', { name: /Nia New/ })
    .getByRole('button', { name: 'Remove' })
    .click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => page.getByText('Nia New').count()).toBe(0);
});

function hasFocus(place: Locator): Promise<boolean> {
  return place.evaluate((node) => node.matches(':focus'));
}
