import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { product } from './browser.ts';

export const NARROWEST = { width: 360, height: 740 };

/** No sideways scrolling on the narrowest phone. */
export async function expectToFit(page: Page, what: string, pixels = NARROWEST.width): Promise<void> {
  const width = await page.locator('html').evaluate((node) => node.scrollWidth);
  expect(width, `the width of ${what}`).toBeLessThanOrEqual(pixels);
}

/** Loads the page anew: within one page the view before it stays until the code of the next one has come. */
export async function openView(page: Page, view: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`${product().urls.dashboard}${view}`);
  await page.locator('main h1').waitFor();
}

/** Each of these views of the dashboard, once it has loaded, on the narrowest phone. Leaves the page that narrow. */
export async function expectViewsToFit(page: Page, views: readonly string[]): Promise<void> {
  await page.setViewportSize(NARROWEST);
  for (const view of views) {
    await openView(page, view);
    await expect.poll(() => page.locator('main [aria-busy], main :text("Loading…")').count()).toBe(0);
    await expectToFit(page, view);
  }
}

/** The entries of the navigation lie beside each other, each label within its own and none on top of another. */
export async function expectNavigationToFit(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: NARROWEST.height });
  const entries = page.locator('nav > a:visible, nav > button:visible');
  const places = await entries.evaluateAll((nodes) =>
    nodes.map((node) => {
      const label = node.getElementsByTagName('span')[0] ?? node;
      const { left, right } = label.getBoundingClientRect();
      return { text: label.textContent, left, right, isCut: label.scrollWidth > label.clientWidth };
    }),
  );
  expect(places.length).toBeGreaterThan(1);
  for (const [index, { text, left, right, isCut }] of places.entries()) {
    expect(left, `${text} begins after the entry before it`).toBeGreaterThan((places[index - 1]?.right ?? 0) + 2);
    expect(right, `${text} ends on the screen`).toBeLessThanOrEqual(width);
    expect(isCut, `${text} is cut off`).toBe(false);
  }
}

/** The address of the first link in a view's list that looks like `pattern`. */
export async function firstLink(page: Page, view: string, pattern: RegExp): Promise<string> {
  await openView(page, view);
  await page.locator('table.list a').first().waitFor();
  const links = await page
    .locator('table.list a')
    .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('href')));
  const found = links.find((link) => link !== null && pattern.test(link));
  if (found === undefined || found === null) throw new Error(`No link on ${view}`);
  return found;
}
