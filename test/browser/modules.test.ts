import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DESKTOP, launchBrowser, openVisitor, product, signIn, takePictures, type Visitor } from './browser.ts';
import { expectToFit, NARROWEST } from './fit.ts';

let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  visitor = await openVisitor(browser);
  page = visitor.page;
  await serveModules('export const modules = [];');
  const { urls, login } = product();
  await page.goto(urls.dashboard);
  await signIn(page, login.email, login.password);
});
afterEach(() => visitor.expectNoFaults());
afterAll(() => browser?.close());

test('a service without modules says how to add the first one', async () => {
  const main = page.locator('main');
  await main.getByText('npm run new:module -- invoices').waitFor();
  expect(await page.locator('nav a').allTextContents()).toEqual(['Home', 'Suppressions', 'Operations', 'Settings']);
  expect(await main.getByRole('link', { name: 'API reference' }).getAttribute('href')).toBe('/docs');
  await takePictures(page, 'empty-home');
  await page.setViewportSize(NARROWEST);
  await expectToFit(page, 'the empty dashboard');
  await page.setViewportSize(DESKTOP);
  await main.getByRole('link', { name: 'Operations' }).click();
  await page.getByRole('heading', { name: 'Operations' }).waitFor();
});

test('a module brings its links, its views, its style sheet and its part of the home page', async () => {
  await serveModules(STARS);
  await page.goto(product().urls.dashboard);
  await page.reload();
  await page.locator('.figure', { hasText: 'Stars' }).getByText('7').waitFor();
  await page.getByText('the summary has come').waitFor();
  expect(await page.locator('nav a').allTextContents()).toEqual([
    'Home',
    'Stars',
    'Suppressions',
    'Operations',
    'Settings',
  ]);
  expect(await page.locator('link[href="/assets/docs/docs.css"]').count()).toBe(1);
  await page.getByRole('link', { name: 'Stars', exact: true }).click();
  await page.getByRole('heading', { name: 'All stars of Olga' }).waitFor();
  expect(await page.locator('nav a[aria-current]').allTextContents()).toEqual(['Stars']);
  await page.goto(`${product().urls.dashboard}#/stars/12`);
  await page.getByRole('heading', { name: 'Star 12' }).waitFor();
  expect(await page.title()).toMatch(/^Star 12 · /);
});

/** A module as web/modules/<noun>/index.js would export it; the second one is for viewers only. */
const STARS = `
  import { el } from '/assets/el.js';
  import { figure } from '/assets/parts.js';
  const title = (text) => el('h1', { tabindex: -1 }, text);
  export const modules = [
    {
      links: [{ path: '/stars', text: 'Stars', icon: 'unheard-of' }],
      views: [
        { pattern: /^\\/stars$/, view: () => title('All stars of Olga') },
        { pattern: /^\\/stars\\/(\\d+)$/, view: ({ id }) => title('Star ' + id) },
      ],
      styles: ['/assets/docs/docs.css'],
      home: {
        figures: () => figure('Stars', '7', 'in sight', '#/stars'),
        panels({ onSummary }) {
          const box = el('p');
          onSummary((summary) => (box.textContent = summary && 'the summary has come'));
          return box;
        },
      },
    },
    { links: [{ path: '/moons', text: 'Moons', icon: 'box', roles: ['viewer'] }] },
  ];
`;

async function serveModules(body: string): Promise<void> {
  await page.unrouteAll();
  await page.route('**/modules.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
}
