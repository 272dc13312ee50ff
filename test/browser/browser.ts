import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import { readStackFile, type StackFile } from '../../scripts/embedded/stack-file.ts';

/** No sandbox: the tests may run as root. Nothing in the background: only the product is measured and talked to. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SCREENSHOTS = path.resolve(import.meta.dirname, '..', '..', 'test-results', 'screenshots');
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
const STEP_MS = 15_000;

export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Fails if a page logged an error or broke its Content-Security-Policy since it was last asked. */
  expectNoFaults(expected?: RegExp): void;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '', args: ARGUMENTS });
}

/** Read anew each time: a process that was restarted has another pid. */
export function product(): StackFile {
  const file = readStackFile(path.join(inject('home'), '.tardigrade'));
  if (file === undefined) throw new Error('The product has stopped.');
  return file;
}

/** A person with a browser of their own: no cookies, no cache; every page they open is listened to. */
export async function openVisitor(browser: Browser, viewport = DESKTOP, timezoneId = 'UTC'): Promise<Visitor> {
  const context = await browser.newContext({ viewport, locale: 'en-GB', timezoneId });
  context.setDefaultTimeout(STEP_MS);
  const faults: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.location().url}: ${message.text()}`);
  });
  context.on('weberror', (fault) => void faults.push(String(fault.error().stack || fault.error())));
  return {
    context,
    page: await context.newPage(),
    expectNoFaults(expected) {
      const unexpected = faults.filter((fault) => !ASKED_WHO_IT_IS.test(fault) && !expected?.test(fault));
      faults.length = 0;
      expect(unexpected).toEqual([]);
    },
  };
}

/** The cookie is out of the page's reach, so the page asks, and the browser notes the refusal. */
const ASKED_WHO_IT_IS = /\/api\/v1\/me: .* 401 /;

/** The page as it is, at the desk and in the hand, by day and by night. */
export async function takePictures(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const before = page.viewportSize() ?? DESKTOP;
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const file = path.join(SCREENSHOTS, `${name}-${viewport.width}x${viewport.height}-${colorScheme}.png`);
      await page.screenshot({ path: file });
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: /^Good to see you/ }).waitFor();
}
