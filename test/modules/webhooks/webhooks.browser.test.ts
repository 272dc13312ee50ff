import type { Browser, Page } from 'playwright-core';
import { Webhook } from 'standardwebhooks';
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
import { expectToFit, NARROWEST } from '../../browser/fit.ts';
import { query } from '../../browser/query.ts';
import { startReceiver, type WebhookReceiver } from '../../webhook-receiver.ts';

const PHONE_OF_320 = { width: 320, height: NARROWEST.height };

let browser: Browser;
let visitor: Visitor;
let page: Page;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startReceiver(500);
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
  page = visitor.page;
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
});
let expected: RegExp | undefined;
afterEach(() => {
  visitor.expectNoFaults(expected);
  expected = undefined;
});
afterAll(async () => {
  await browser?.close();
  await receiver?.close();
});

let secret = '';

test('a webhook is created, with a secret that is shown once', async () => {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByText('No webhooks yet.').waitFor();
  await page.getByRole('button', { name: 'Create a webhook' }).click();
  await page.getByLabel('Address').fill('https://169.254.169.254/latest/meta-data');
  await page.getByLabel('Description').fill('Our CRM');
  await page.getByRole('checkbox', { name: /^member\.joined/ }).check();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText('leads to an address that is not public').waitFor();
  expected = / 400 /;
  await takePictures(page, 'settings-webhook-create');
  await page.getByLabel('Address').fill(receiver.url);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  secret = (await page.locator('pre.secret').textContent()) ?? '';
  expect(secret).toMatch(/^whsec_/);
  await takePictures(page, 'settings-webhook-secret');
  await page.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row', { name: /Our CRM/ });
  await row.getByText('enabled', { exact: true }).waitFor();
  await expect.poll(() => page.content()).not.toContain(secret);
  await takePictures(page, 'settings-webhooks');
});

test('a test event that fails is shown with its reason, and arrives when it is sent again', async () => {
  await page.getByRole('link', { name: receiver.url }).click();
  await page.getByRole('button', { name: 'Send a test event' }).click();
  await page.getByText('The test event is on its way.').waitFor();
  await shown('The answer was 500.');
  await takePictures(page, 'settings-webhook-failing');
  receiver.answer(204);
  await page.getByRole('button', { name: 'Send a test event' }).click();
  const deliveries = page.getByRole('table', { name: 'Deliveries' });
  await shown('delivered');
  const seen = receiver.received.length;
  await deliveries.getByRole('button', { name: 'Send again' }).first().click();
  await expect.poll(() => receiver.received.length).toBeGreaterThan(seen);
  const { body, headers } = receiver.received.at(-1) ?? { body: '', headers: {} };
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({ type: 'webhook.test' });
});

test('the secret is rotated, and the webhook disabled, enabled and changed', async () => {
  await page.getByRole('button', { name: 'Rotate the secret…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  expect(await page.locator('pre.secret').textContent()).not.toBe(secret);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('The secret before the last rotation signs as well until').waitFor();
  await page.getByRole('button', { name: 'Disable…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await page.getByText('Somebody has disabled it.').waitFor();
  await takePictures(page, 'settings-webhook-disabled');
  await page.getByRole('button', { name: 'Enable' }).click();
  await page.getByText('enabled', { exact: true }).waitFor();
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Webhooks' }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Description').fill('The new CRM');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The new CRM').waitFor();
});

test('both pages fit on a phone of 320 pixels', async () => {
  await page.setViewportSize(PHONE_OF_320);
  await expectToFit(page, 'the list of webhooks', PHONE_OF_320.width);
  await page.screenshot({ path: 'test-results/screenshots/settings-webhooks-320.png', fullPage: true });
  await page.getByRole('link', { name: receiver.url }).click();
  await page.getByRole('table', { name: 'Deliveries' }).waitFor();
  await expectToFit(page, 'a webhook', PHONE_OF_320.width);
  await page.screenshot({ path: 'test-results/screenshots/settings-webhook-320.png', fullPage: true });
  await page.setViewportSize(DESKTOP);
});

test('who deletes what somebody else has just changed is told, sees it, and decides again', async () => {
  await query(`update webhook_endpoints set description = 'Needed again', version = version + 1`, []);
  expected = /\/api\/v1\/webhooks\/\d+: .* 412 /;
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByText('Somebody else has changed this meanwhile, so nothing was done.').waitFor();
  await takePictures(page, 'settings-webhook-changed-meanwhile');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Needed again').waitFor();
});

test('a deleted webhook is gone', async () => {
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No webhooks yet.').waitFor();
});

/** The list is loaded again until it has it. */
async function shown(text: string): Promise<void> {
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      return page.getByRole('table', { name: 'Deliveries' }).getByText(text).count();
    })
    .toBeGreaterThan(0);
}
