import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANSWER_CHARS_MAX, BACKOFF_MS } from '../../../web/modules/conversations/protocol.js';
import { DESKTOP, launchBrowser, openVisitor, PHONE, product, type Visitor } from '../../browser/browser.ts';

/** The chat's page against a server that the test plays, word for word. */
let browser: Browser;
let visitor: Visitor;
let heard: Frame[];
let lines: WebSocketRoute[];
/** What the server says to a frame. */
let reply: (frame: Frame, socket: WebSocketRoute) => void;

interface Frame {
  readonly type: string;
  readonly nonce?: string;
  readonly questionSeq?: number;
  readonly text?: string;
  readonly choice?: number;
}

const SMALL = { width: 320, height: 640 };
/** Long before the page would try again by itself, and long enough for a busy machine. */
const SOON_MS = BACKOFF_MS.max / 3;
const SCREENSHOTS = path.resolve(import.meta.dirname, '..', '..', '..', 'test-results', 'screenshots');
const LINK = `1.1.${'x'.repeat(22)}`;
const AT = new Date(0).toISOString();
const bot = (seq: number, body: string, answer = 'text') => ({ seq, sender: 'bot', body, at: AT, answer });
const own = (seq: number, body: string, nonce?: string) => ({ seq, sender: 'employee', body, at: AT, nonce });
const WELCOME = {
  type: 'welcome',
  name: 'Ada',
  organisation: 'Acme',
  campaign: 'Monday',
  questions: 2,
  messages: [bot(1, 'How are you?')],
  lastSeq: 1,
  finished: false,
  waitingFor: 1,
};

beforeAll(async () => {
  browser = await launchBrowser();
});
beforeEach(async () => {
  heard = [];
  lines = [];
  visitor = await openVisitor(browser, PHONE);
  await visitor.context.route(/\/chat\/ticket$/, (route) => route.fulfill({ json: { ticket: 'a.b' } }));
  await visitor.context.routeWebSocket(/\/chat$/, (socket) => {
    lines.push(socket);
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as Frame;
      heard.push(frame);
      reply(frame, socket);
    });
  });
});
afterEach(async () => {
  visitor.expectNoFaults();
  await visitor.context.close();
});
afterAll(() => browser?.close());

const answers = () => heard.filter(({ type }) => type === 'answer');
const form = (page = visitor.page) => page.getByLabel('Your answer');
const bubbles = (page = visitor.page) => page.locator('.bubble > p').allInnerTexts();
async function send(text: string, page = visitor.page): Promise<void> {
  await form(page).fill(text);
  await form(page).press('Enter');
}

test('a hello that meets an overloaded server is said again on a new connection, and nothing is promised meanwhile', async () => {
  reply = (frame, socket) => {
    if (frame.type !== 'hello') return;
    if (lines.length > 3) return say(socket, WELCOME);
    say(socket, { type: 'error', code: 'overloaded', message: 'Too many at once.', retryAfterMs: 300 });
  };
  await open();
  await visitor.page.getByText('Many people are here right now.').waitFor();
  expect(await visitor.page.locator('#banner').textContent()).not.toContain('keep writing');
  await visitor.page.getByText('How are you?').waitFor();
  expect(lines).toHaveLength(4);
  expect(await visitor.page.locator('#banner').isHidden()).toBe(true);
});

test('an answer that meets an overloaded server is sent again; a second thought waits until the next question was seen', async () => {
  let refused = 0;
  reply = (frame, socket) => {
    if (frame.type === 'hello') return say(socket, WELCOME);
    if (frame.type !== 'answer') return;
    if (refused++ < 2) return say(socket, { type: 'error', code: 'overloaded', message: '', nonce: frame.nonce });
    say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('first');
  await send('a second thought');
  await visitor.page.getByText('Your last answer is still on its way.').waitFor();
  await expect.poll(() => visitor.page.locator('.bubble.mine:not(.sending, .failed)').count()).toBe(1);
  expect(answers().map(({ text }) => text)).toEqual(['first', 'first', 'first']);
  expect(new Set(answers().map(({ nonce }) => nonce)).size).toBe(1);
  expect(lines).toHaveLength(1);

  refused = 2;
  say(lines[0], { type: 'message', ...own(2, 'first', answers()[0]?.nonce) });
  say(lines[0], { type: 'message', ...bot(3, 'What helps?') });
  await visitor.page.getByText('What helps?').waitFor();
  expect(await form().inputValue()).toBe('a second thought');
  await form().press('Enter');
  await visitor.page.getByText('Another question has come').waitFor();
  await takeSmallPictures('chat-second-thought');
  expect(answers()).toHaveLength(3);
  await form().press('Enter');
  await expect.poll(() => answers().at(-1)).toMatchObject({ questionSeq: 3, text: 'a second thought' });
  expect(await form().inputValue()).toBe('');
});

test('an answer that can never be taken is said to be so, and goes back into the form when asked', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, WELCOME);
    if (frame.type === 'answer')
      say(socket, { type: 'error', code: 'invalid', message: 'Not like this.', nonce: frame.nonce });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('first');
  await visitor.page.locator('.bubble.failed', { hasText: 'not delivered: Not like this.' }).waitFor();
  await takeSmallPictures('chat-rejected');
  await visitor.page.getByRole('button', { name: 'Write it again' }).click();
  expect(await form().inputValue()).toBe('first');
  expect(await bubbles()).toEqual(['How are you?']);
  await form().press('Enter');
  await expect.poll(() => answers().length).toBe(2);
});

test('an answer outlives the tab: the next visit sends it under its nonce, and another link never sees it', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('kept');
  await expect.poll(() => answers().length).toBe(1);
  await visitor.page.close();

  const other = await visitor.context.newPage();
  await open(other, `1.2.${'y'.repeat(22)}`);
  await other.getByText('How are you?').waitFor();
  await form(other).waitFor();
  expect(await bubbles(other)).toEqual(['How are you?']);
  expect(answers()).toHaveLength(1);

  const again = await visitor.context.newPage();
  await open(again);
  await again.locator('.bubble.sending', { hasText: 'kept' }).waitFor();
  await expect.poll(() => answers().length).toBe(2);
  expect(answers()[1]).toEqual(answers()[0]);
  say(lines.at(-1), { type: 'ack', nonce: answers()[0]?.nonce, seq: 2 });
  await again.locator('.bubble.mine:not(.sending)').waitFor();
  expect(await again.evaluate('localStorage.length')).toBe(0);
});

test('offline and online are heard at once, and what the page says is true', async () => {
  reply = (frame, socket) =>
    void (frame.type === 'hello' && say(socket, { ...WELCOME, messages: [bot(1, 'How are you?')] }));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await form().waitFor();
  await visitor.context.setOffline(true);
  await visitor.page.getByText('You are offline. You can keep writing.').waitFor({ timeout: SOON_MS });
  await send('written in a tunnel');
  await visitor.page.getByText('Your answer is kept on this device').waitFor();
  await takeSmallPictures('chat-offline');
  const before = lines.length;
  await visitor.context.setOffline(false);
  await visitor.page.locator('#banner').waitFor({ state: 'hidden', timeout: SOON_MS });
  expect(lines.length).toBeGreaterThan(before);
  expect(answers()).toMatchObject([{ questionSeq: 1, text: 'written in a tunnel' }]);
});

test('a move to another process is not noticed: nothing is said, what is written goes on, and the answer arrives', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, lines.length === 1 ? WELCOME : { ...WELCOME, messages: [] });
    if (frame.type === 'answer') say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await visitor.page.evaluate(WRITE_DOWN_BANNER);
  await form().fill('half a sen');
  await lines[0]?.close({ code: 1012, reason: 'retry after 250 ms' });
  await form().pressSequentially('tence');
  await form().press('Enter');
  await expect.poll(() => lines.length).toBe(2);
  await expect.poll(() => answers().map(({ text }) => text)).toEqual(['half a sentence']);
  await expect.poll(() => visitor.page.locator('.bubble.mine:not(.sending, .failed)').count()).toBe(1);
  expect(await visitor.page.evaluate('said')).toEqual([]);
});

test('a ticket that is refused for now is asked for again when the server says, and the page says why it waits', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  let asked = 0;
  await visitor.context.route(/\/chat\/ticket$/, (route) => {
    const error = { type: 'error', code: 'rate_limited', message: 'Later.', retryAfterMs: 3_000 };
    return asked++ === 0 ? route.fulfill({ status: 429, json: error }) : route.fulfill({ json: { ticket: 'a.b' } });
  });
  await open();
  await visitor.page.getByText('Many people are here right now.').waitFor();
  await visitor.page.getByText('How are you?').waitFor();
  expect([asked, lines.length]).toEqual([2, 1]);
  visitor.expectNoFaults(/chat\/ticket: .* 429/);
});

test('where the device keeps nothing, the page asks to be kept open', async () => {
  await visitor.page.addInitScript("Storage.prototype.setItem = () => { throw new Error('full'); }");
  reply = (frame, socket) => void (frame.type === 'hello' && lines.length === 1 && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('fine');
  await lines[0]?.close({ code: 1012, reason: 'retry after 9000 ms' });
  await visitor.page.getByText('Please keep this page open until your answer is delivered.').waitFor();
});

test('nothing is wider than a screen of 320 pixels: names, words and addresses of any length', async () => {
  const long = 'Donaudampfschifffahrtsgesellschaft'.repeat(4);
  const url = `https://example.test/${'a'.repeat(300)}?b=${'c'.repeat(100)}`;
  const messages = [bot(1, `Hi ${long}! ${url}`), own(2, long), bot(3, url)];
  const welcome = { ...WELCOME, name: long, organisation: long, campaign: long, messages, lastSeq: 3, waitingFor: 3 };
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, welcome);
    if (frame.type === 'answer')
      say(socket, { type: 'error', code: 'invalid', message: `Not ${url}`, nonce: frame.nonce });
  };
  await visitor.page.setViewportSize(SMALL);
  await open();
  await visitor.page.getByText('Hello Donau').waitFor();
  await expectNoWiderThanScreen('the messages');
  await send(url);
  await visitor.page.locator('.bubble.failed').waitFor();
  await expectNoWiderThanScreen('an answer that was rejected');
  await form().fill(long.repeat(3));
  await expectNoWiderThanScreen('the form');
  await takeSmallPictures('chat-long');
  say(lines[0], { type: 'finished' });
  await visitor.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  await expectNoWiderThanScreen('the end');
});

test('a text that is too long is kept, and the page says by how many characters, counted as the server counts', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await form().fill('x'.repeat(3_017));
  await visitor.page.getByText('1,017 characters too many').waitFor();
  expect((await form().inputValue()).length).toBe(3_017);
  await takeSmallPictures('chat-too-long');
  await form().press('Enter');
  await form().fill('🙂'.repeat(ANSWER_CHARS_MAX + 1));
  await visitor.page.getByText('1 character too many').waitFor();
  await form().press('Enter');
  expect(answers()).toEqual([]);
  await send('🙂'.repeat(ANSWER_CHARS_MAX));
  await expect.poll(() => answers()).toMatchObject([{ text: '🙂'.repeat(ANSWER_CHARS_MAX) }]);
});

test('a text with nothing to see is not an answer', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send(' \u200b \u2066');
  await visitor.page.getByText('There is nothing to read in this answer yet.').waitFor();
  await send('fine');
  await expect.poll(() => answers().map(({ text }) => text)).toEqual(['fine']);
});

test('a draft survives a reload, and two windows of one link keep their own', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  const left = visitor.page;
  await open(left);
  const right = await visitor.context.newPage();
  await open(right);
  for (const page of [left, right]) await page.getByText('How are you?').waitFor();
  await form(left).fill('from the left');
  await form(right).fill('from the right');
  for (const page of [left, right]) {
    await page.reload();
    await page.getByText('How are you?').waitFor();
  }
  expect(await form(left).inputValue()).toBe('from the left');
  expect(await form(right).inputValue()).toBe('from the right');
  await form(left).press('Enter');
  await expect.poll(() => answers()).toMatchObject([{ questionSeq: 1, text: 'from the left' }]);
  await left.reload();
  await left.getByText('from the left').waitFor();
  expect(await form(left).inputValue()).toBe('');
});

test('messages are drawn in order of seq, also when the acknowledgement of an own answer comes before earlier ones', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, WELCOME);
    if (frame.type === 'answer') say(socket, { type: 'ack', nonce: frame.nonce, seq: 4 });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('from here');
  await visitor.page.locator('.bubble.mine:not(.sending)').waitFor();
  say(lines[0], { type: 'message', ...own(2, 'from another window', 'other') });
  say(lines[0], { type: 'message', ...bot(3, 'What helps?') });
  await visitor.page.getByText('What helps?').waitFor();
  expect(await bubbles()).toEqual(['How are you?', 'from another window', 'What helps?', 'from here']);
  say(lines[0], { type: 'message', ...own(4, 'from here', answers()[0]?.nonce) });
  say(lines[0], { type: 'message', ...bot(5, 'Anything else?') });
  await visitor.page.getByText('Anything else?').waitFor();
  expect(await bubbles()).toEqual([
    'How are you?',
    'from another window',
    'What helps?',
    'from here',
    'Anything else?',
  ]);
});

test('a check-in that was finished in another window closes the form in this one', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'answer')
      say(socket, { type: 'error', code: 'conflict', message: 'You have finished.', nonce: frame.nonce });
    if (frame.type !== 'hello') return;
    const messages = [own(2, 'from another window'), bot(3, 'Thank you for sharing!')];
    say(
      socket,
      answers().length === 0 ? WELCOME : { ...WELCOME, messages, lastSeq: 3, waitingFor: null, finished: true },
    );
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('from here');
  await visitor.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  expect(await form().isVisible()).toBe(false);
  expect(await bubbles()).toEqual(['How are you?', 'from here', 'from another window', 'Thank you for sharing!']);
  await visitor.page.locator('.bubble.failed', { hasText: 'not delivered: You have finished.' }).waitFor();
});

test('a question with a scale is answered by one tap', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, { ...WELCOME, messages: [bot(1, 'How was your week?', 'scale')] });
    if (frame.type !== 'answer') return;
    say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 });
    say(socket, { type: 'message', ...own(2, `${frame.choice} of 5`, frame.nonce) });
    say(socket, { type: 'message', ...bot(3, 'What helps?') });
  };
  await open();
  const { page } = visitor;
  const scale = page.getByRole('radiogroup', { name: 'Your choice, from 1 to 5' });
  await scale.waitFor();
  expect(await scale.getByRole('radio').allInnerTexts()).toEqual(['1', '2', '3', '4', '5']);
  expect(await form().isVisible()).toBe(false);
  for (const button of await scale.getByRole('radio').all()) {
    const box = await button.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
  }
  await takeSmallPictures('chat-scale');
  await scale.getByRole('radio', { name: '4' }).click();
  await expect.poll(() => answers()).toMatchObject([{ questionSeq: 1, choice: 4 }]);
  await page.getByText('What helps?').waitFor();
  expect(await bubbles()).toEqual(['How was your week?', '4 of 5', 'What helps?']);
  expect(await scale.isVisible()).toBe(false);
  expect(await form().isVisible()).toBe(true);
});

test('a double tap does not answer the next question, which nobody has read', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, { ...WELCOME, messages: [bot(1, 'How was your week?', 'scale')] });
    if (frame.type !== 'answer') return;
    const seq = (frame.questionSeq ?? 0) + 1;
    say(socket, { type: 'ack', nonce: frame.nonce, seq });
    say(socket, { type: 'message', ...own(seq, `${frame.choice} of 5`, frame.nonce) });
    say(socket, { type: 'message', ...bot(seq + 1, 'And your team?', 'scale') });
  };
  const { clock } = visitor.page;
  const begun = Date.now();
  await clock.setFixedTime(begun);
  await open();
  const four = visitor.page.getByRole('radio', { name: '4' });
  await four.waitFor();
  await clock.setFixedTime(begun + 1_000);
  await four.click();
  await visitor.page.getByText('And your team?').waitFor();
  await four.click();
  expect(answers()).toHaveLength(1);
  await clock.setFixedTime(begun + 2_000);
  await four.click();
  await expect
    .poll(() => answers().map(({ questionSeq, choice }) => [questionSeq, choice]))
    .toEqual([
      [1, 4],
      [3, 4],
    ]);
});

test('on the keyboard a scale is one stop; arrows and digits move, Space or Enter chooses, and the focus goes on', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') say(socket, { ...WELCOME, messages: [bot(1, 'How was your week?', 'scale')] });
    if (frame.type !== 'answer') return;
    say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 });
    say(socket, { type: 'message', ...own(2, `${frame.choice} of 5`, frame.nonce) });
    say(socket, { type: 'message', ...bot(3, 'What helps?') });
  };
  await open();
  const { page } = visitor;
  const focused = () => page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.id');
  await expect.poll(focused).toBe('Your choice, from 1 to 5');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('1, Very bad');
  await page.keyboard.press('ArrowLeft');
  expect(await focused()).toBe('5, Very good');
  await page.keyboard.press('3');
  expect(await focused()).toBe('3');
  await page.keyboard.press('ArrowDown');
  expect(await page.locator('.scale [tabindex="0"]').count()).toBe(1);
  expect(answers()).toEqual([]);
  await page.keyboard.press('Space');
  await expect.poll(() => answers()).toMatchObject([{ choice: 4 }]);
  await expect.poll(focused).toBe('answer');
});

test('the first sign of a person is told once', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  expect(heard.map(({ type }) => type)).toEqual(['hello']);
  await form().pressSequentially('fine');
  await visitor.page.mouse.click(5, 5);
  await form().press('Enter');
  await expect.poll(() => answers().length).toBe(1);
  expect(heard.map(({ type }) => type)).toEqual(['hello', 'seen', 'typing', 'answer']);
});

test('a page that is visible and focused for a while counts as seen, too', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await visitor.page.clock.install({ time: 0 });
  await visitor.page.clock.pauseAt(1_000);
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await visitor.page.clock.runFor(4_000);
  expect(heard.map(({ type }) => type)).toEqual(['hello']);
  await visitor.page.clock.runFor(2_000);
  await expect.poll(() => heard.map(({ type }) => type)).toEqual(['hello', 'seen']);
});

test('a link that expired while an answer was kept shows the answer that could not be delivered', async () => {
  reply = (frame, socket) => void (frame.type === 'hello' && say(socket, WELCOME));
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  await send('too late');
  await expect.poll(() => answers().length).toBe(1);
  reply = (_, socket) => say(socket, { type: 'error', code: 'gone', message: 'Closed.' });
  await visitor.page.reload();
  await visitor.page.getByRole('heading', { name: 'This check-in is over' }).waitFor();
  await visitor.page.locator('blockquote', { hasText: 'too late' }).waitFor();
  await takeSmallPictures('chat-expired');
});

/** Whatever the banner says from now on, even for a moment. */
const WRITE_DOWN_BANNER = `
  const banner = document.getElementById('banner');
  window.said = [];
  const writeDown = () => banner.textContent !== '' && said.push(banner.textContent);
  new MutationObserver(writeDown).observe(banner, { childList: true, characterData: true, subtree: true });
`;

async function open(page: Page = visitor.page, link = LINK): Promise<void> {
  await page.goto(`${product().urls.chat}/c/${link}`);
}

function say(socket: WebSocketRoute | undefined, frame: object): void {
  socket?.send(JSON.stringify(frame));
}

async function expectNoWiderThanScreen(what: string): Promise<void> {
  const width = await visitor.page.locator('html').evaluate((node) => node.scrollWidth);
  expect(width, `the width of ${what}`).toBeLessThanOrEqual(SMALL.width);
}

/** On the smallest phone and at the desk, by day and by night. */
async function takeSmallPictures(name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const { page } = visitor;
  const before = page.viewportSize() ?? PHONE;
  for (const viewport of [SMALL, DESKTOP]) {
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
