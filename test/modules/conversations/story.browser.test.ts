import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  launchBrowser,
  openVisitor,
  PHONE,
  product,
  signIn,
  takePictures,
  type Visitor,
} from '../../browser/browser.ts';
import { linkTo } from '../../browser/catcher.ts';
import { query } from '../../browser/query.ts';
import { until } from '../../database.ts';
import { addressOf, employeesFile, GOOD_ROWS, REJECTED, ROWS, teammates } from '../employees/employees-file.ts';
import { openConversation } from './chat-client.ts';

/** One organisation from its registration to its first answers. Each step goes on where the one before ended. */
// Of another domain than the employees, whose mails are counted: the owner is asked to confirm the address.
const OWNER = { email: 'ada@owners.test', password: 'three quiet words' };
const SENT = GOOD_ROWS.toLocaleString('en');
const ANSWERS = [
  'A good week, I am happy.',
  'The team was great.',
  'Too many meetings.',
  'Yes, always.',
  'No, thank you!',
];

let browser: Browser;
let owner: Visitor;
let employee: Visitor;
let expected: RegExp | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  owner = await openVisitor(browser);
  employee = await openVisitor(browser, PHONE);
});
afterEach(() => {
  owner.expectNoFaults(expected);
  employee.expectNoFaults(expected);
  expected = undefined;
});
afterAll(() => browser?.close());

test('step 1: an owner registers an organisation, signs out and in again', async () => {
  const { page } = owner;
  await page.goto(product().urls.dashboard);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await takePictures(page, '1-sign-in');
  await page.getByRole('button', { name: 'Register a new organisation' }).click();
  await page.getByLabel('Email address').fill(OWNER.email);
  await page.getByRole('button', { name: 'Email me a link' }).click();
  await page.goto(await linkTo(OWNER.email, '/register/'));
  await page.getByLabel('Organisation').fill('Story Ltd');
  await page.getByLabel('Your name').fill('Ada Owner');
  await page.getByLabel('New password').fill(OWNER.password);
  await takePictures(page, '1-register');
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByRole('heading', { name: 'Good to see you, Ada' }).waitFor();
  await page.getByRole('link', { name: 'Import employees' }).waitFor();
  await takePictures(page, '1-welcome');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, OWNER.email, OWNER.password);
  expect(await page.locator('.who').textContent()).toContain('Story Ltd');
});

test(`step 2: ${ROWS.toLocaleString('en')} employees come in from a spreadsheet's file, once`, async () => {
  const { page } = owner;
  await page.getByRole('link', { name: 'Import employees' }).click();
  await page.getByRole('button', { name: 'Import from CSV' }).click();
  const input = page.locator('input[type=file]');
  const panel = page.getByRole('region', { name: 'Import employees' });
  const importIt = () => panel.getByRole('button', { name: 'Import', exact: true }).click();
  await input.setInputFiles(employeesFile());
  await panel.getByText('can be imported').waitFor();
  // It is on the page for under a second, unless the file waits until it was seen.
  const isShown = Promise.withResolvers<void>();
  const file = /\/imports\/\d+\/file$/;
  await page.route(file, (route) => isShown.promise.then(() => route.continue()));
  await importIt();
  await panel.getByRole('progressbar', { name: 'Import' }).waitFor({ state: 'attached' });
  isShown.resolve();
  await panel.getByText(`${ROWS.toLocaleString('en')} rows read`).waitFor();
  await panel.getByText(`${SENT} added, 0 updated, 0 unchanged, ${REJECTED.length} rejected`).waitFor();
  const rejected = panel.getByRole('row');
  for (const { line, reason } of REJECTED) {
    await rejected
      .filter({ hasText: line.toLocaleString('en') })
      .filter({ hasText: reason })
      .waitFor();
  }
  await page.getByLabel('Search').fill(addressOf(1));
  await page.getByRole('cell', { name: 'Person "1"', exact: true }).waitFor();
  await takePictures(page, '2-import');

  await input.setInputFiles(employeesFile());
  await importIt();
  await panel.getByText(`0 added, 0 updated, ${SENT} unchanged, ${REJECTED.length} rejected`).waitFor();

  expected = /\/api\/v1\/imports\/preview: .* 4\d\d /;
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  await input.setInputFiles({ name: 'team.png', mimeType: 'image/png', buffer: png });
  const refusal = panel.getByRole('alert');
  await refusal.waitFor();
  expect(await refusal.textContent()).toMatch(/CSV|text/);
  await panel.getByText('Spreadsheet programs can save as CSV').waitFor();
  await takePictures(page, '2-refused');
});

test('step 3: a campaign is written with a live preview and launched after one more question', async () => {
  const { page } = owner;
  await page.getByRole('link', { name: 'Campaigns', exact: true }).click();
  await page.getByRole('link', { name: 'New campaign' }).click();
  await page.getByLabel('Name', { exact: true }).fill('First check-in');
  await page.getByLabel('Subject').fill('Five questions, {{name}}');
  await page.getByLabel('Text of the email').fill('Hello {{name}},\n\nall of {{organisation}} is asked.');
  const preview = page.getByRole('region', { name: 'Preview of the email' });
  await preview.getByText(/^Subject Five questions, (?!\{\{)/).waitFor();
  await preview.frameLocator('iframe').getByText('all of Story Ltd is asked.').waitFor();
  await takePictures(page, '3-form');
  await page.getByRole('button', { name: 'Save as draft' }).click();
  await page.getByRole('heading', { name: 'First check-in' }).waitFor();
  await page.frameLocator('iframe').getByText('all of Story Ltd is asked.').waitFor();
  await takePictures(page, '3-draft');
  await page.getByRole('button', { name: 'Launch…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`${SENT} people will get the email`).waitFor();
  await takePictures(page, '3-launch');
  await dialog.getByRole('button', { name: `Send ${SENT} emails` }).click();
  await dialog.waitFor({ state: 'detached' });
});

test(`step 4: the campaign's page counts up to ${SENT} mails, and the mail catcher has them`, async () => {
  const { page } = owner;
  const sent = page.locator('.numbers div', { hasText: /^Sent/ }).locator('dd');
  const seen = new Set<number>();
  await takePictures(page, '4-sending');
  await until(
    'all mails are sent',
    async () => {
      seen.add(Number(((await sent.textContent()) ?? '').replace(/\D/g, '')));
      return seen.has(GOOD_ROWS);
    },
    100_000,
  );
  expect(seen.size).toBeGreaterThan(2);
  expect([...seen]).toEqual([...seen].sort((a, b) => a - b));
  await page.getByText(`${SENT} of ${SENT} emails`).waitFor();
  await page.locator('.status.good', { hasText: 'done' }).first().waitFor();
  await takePictures(page, '4-sent');

  await employee.page.goto(`${product().urls.mail}/?to=@story.test`);
  await employee.page.getByText(`${SENT} found`).waitFor();
  await takePictures(employee.page, '4-caught-mail');
  await employee.page.getByLabel('Recipient').fill(addressOf(1));
  await employee.page.getByRole('button', { name: 'Search' }).click();
  await employee.page.getByText('1 found').waitFor();
  await employee.page.getByRole('link', { name: /^Five questions/ }).click();
  await employee.page.getByRole('heading', { name: 'Five questions, Person "1"' }).waitFor();
  await employee.page.frameLocator('iframe').getByRole('link', { name: 'Start the check-in' }).waitFor();
  await takePictures(employee.page, '4-mail');
});

test('step 5: an employee answers on a phone; the chat dies in the middle, and nothing is lost or doubled', async () => {
  expected = /WebSocket connection to .* failed|\/chat\/ticket: .* net::ERR_/; // while the chat is dead
  const opened = employee.context.waitForEvent('page');
  await employee.page.locator('pre a').filter({ hasText: '/c/' }).click();
  const page = await opened;
  await page.setViewportSize(PHONE);
  const answer = page.getByLabel('Your answer');
  const stored = page.locator('.bubble.mine:not(.sending, .failed)');
  const asked = page.locator('.bubble.bot');
  await page.getByText('Question 1 of 5').waitFor();
  for (const [index, text] of ANSWERS.entries()) {
    await answer.fill(text);
    if (index === 2) await killAndAnswer();
    else await answer.press('Enter');
    await stored.nth(index).waitFor();
    if (index < ANSWERS.length - 1) await asked.nth(index + 1).waitFor();
    if (index === 1) await takePictures(page, '5-chat');
    if (index === 3) await page.reload();
    if (index === 3) await asked.nth(4).waitFor();
  }
  await page.getByRole('heading', { name: 'Thank you' }).waitFor();
  await page.getByText('All questions answered').waitFor();
  expect(await page.locator('.bubble.mine > p').allInnerTexts()).toEqual(ANSWERS);
  expect(await answer.isVisible()).toBe(false);
  await takePictures(page, '5-finished');
  expect(await storedAnswers(addressOf(1))).toEqual(ANSWERS);

  async function killAndAnswer(): Promise<void> {
    const { chat } = product().pids;
    // The chat is back within a second, and nothing of this is to be seen any more.
    const isSeen = Promise.withResolvers<void>();
    const ticket = /\/chat\/ticket$/;
    await page.route(ticket, (route) => isSeen.promise.then(() => route.continue()));
    process.kill(chat as number, 'SIGKILL');
    await page.getByText('Reconnecting…').waitFor();
    await answer.press('Enter');
    await page.locator('.bubble.sending').waitFor();
    await takePictures(page, '5-cut');
    isSeen.resolve();
    await until('the chat is back', () => product().pids['chat'] !== chat);
    await page.getByText('Reconnecting…').waitFor({ state: 'hidden' });
  }
});

test('step 5: six colleagues answer too', async () => {
  for (const n of teammates(6)) {
    const link = new URL(await linkTo(addressOf(n), '/c/'));
    const person = openConversation(link.origin, link.pathname.replace('/c/', ''));
    for (const text of ANSWERS) expect(await person.answer(text)).toEqual(expect.any(Number));
    await person.finished();
    person.close();
  }
});

test('step 6: the dashboard shows progress, moods and the conversation, and exports the answers', async () => {
  const { page } = owner;
  await page.getByRole('link', { name: 'Campaigns', exact: true }).click();
  const row = page.getByRole('row', { name: 'First check-in' });
  await row.getByText(`${SENT} of ${SENT} emails`).waitFor();
  expect(await row.textContent()).toContain(String(7 * ANSWERS.length));
  await takePictures(page, '6-campaigns');

  await page.getByRole('link', { name: 'Home' }).click();
  await until('the moods are counted', async () => {
    await page.reload();
    await page.locator('.heat, .empty').first().waitFor();
    return page.locator('.heat td[class^=mood]').count();
  });
  await page.locator('svg.chart circle').first().waitFor();
  await takePictures(page, '6-home');

  await page.getByRole('link', { name: 'Conversations', exact: true }).click();
  await page.getByRole('button', { name: 'Export answers…' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('link', { name: 'Download CSV' }).click();
  const exported = readFileSync(await (await download).path(), 'utf8');
  expect(exported.startsWith('\uFEFF')).toBe(true);
  for (const text of ANSWERS) expect(exported.split(text)).toHaveLength(7 + 1);

  await page.getByRole('row', { name: 'Person "1" ' }).first().waitFor();
  await takePictures(page, '6-conversations');
  await page.getByRole('link', { name: 'Person "1"', exact: true }).click();
  await page
    .locator('.bubble.theirs')
    .nth(ANSWERS.length - 1)
    .waitFor();
  expect(await page.locator('.bubble.theirs > p').allInnerTexts()).toEqual(ANSWERS);
  await takePictures(page, '6-conversation');
});

async function storedAnswers(address: string): Promise<string[]> {
  const rows = await query<{ body: string }>(
    `select m.body from messages m
     join conversations c on c.org_id = m.org_id and c.id = m.conversation_id
     join employees e on e.org_id = c.org_id and e.id = c.employee_id
     where e.email = $1 and m.sender = 'employee' order by m.seq`,
    [address],
  );
  return rows.map(({ body }) => body);
}
