import type { Browser, WebSocketRoute } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CLOSE } from '../../../src/socket/server.ts';
import { launchBrowser, openVisitor, PHONE, product, type Visitor } from '../../browser/browser.ts';

/** The chat's page against a server that the test plays, word for word. */
let browser: Browser;
let visitor: Visitor;
let heard: { readonly at: number; readonly frame: Frame }[];
let connections: number;
/** What the server says to a frame. */
let reply: (frame: Frame, socket: WebSocketRoute) => void;

interface Frame {
  readonly type: string;
  readonly nonce?: string;
  readonly body?: string;
}

const OVERLOADED = { type: 'error', code: 'overloaded', message: 'Too many at once. Try again in a moment.' };
const bot = (seq: number, body: string) => ({ seq, sender: 'bot', body, at: new Date(0).toISOString() });
const WELCOME = {
  type: 'welcome',
  name: 'Ada',
  organisation: 'Acme',
  campaign: 'Monday',
  questions: 2,
  messages: [bot(1, 'How are you?')],
  lastSeq: 1,
  finished: false,
};

beforeAll(async () => {
  browser = await launchBrowser();
});
beforeEach(async () => {
  heard = [];
  connections = 0;
  visitor = await openVisitor(browser, PHONE);
  await visitor.page.routeWebSocket(/\/chat$/, (socket) => {
    connections++;
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as Frame;
      heard.push({ at: performance.now(), frame });
      reply(frame, socket);
    });
  });
});
afterEach(async () => {
  visitor.expectNoFaults();
  await visitor.context.close();
});
afterAll(() => browser?.close());

test('a hello that meets an overloaded server is said again on a new connection', async () => {
  reply = (_, socket) => say(socket, connections <= 3 ? OVERLOADED : WELCOME);
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  expect(connections).toBe(4);
  expect(heard.map(({ frame }) => frame.type)).toEqual(['hello', 'hello', 'hello', 'hello']);
});

test('an answer that meets an overloaded server is kept, sent again, and not overtaken by the next one', async () => {
  let refused = 0;
  reply = (frame, socket) => {
    if (frame.type === 'hello') return say(socket, WELCOME);
    if (refused < 2 && ++refused) return say(socket, OVERLOADED);
    say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 + (frame.body === 'second' ? 1 : 0) });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  for (const text of ['first', 'second']) {
    await visitor.page.getByLabel('Your answer').fill(text);
    await visitor.page.getByLabel('Your answer').press('Enter');
  }
  await expect.poll(() => visitor.page.locator('.bubble.mine:not(.sending, .failed)').count()).toBe(2);
  const answers = heard.filter(({ frame }) => frame.type === 'answer').map(({ frame }) => frame);
  expect(answers.map(({ body }) => body)).toEqual(['first', 'first', 'first', 'second']);
  expect(new Set(answers.map(({ nonce }) => nonce)).size).toBe(2);
  expect(connections).toBe(1);
});

test('an answer that can never be taken is said to be so, and the next one goes on', async () => {
  reply = (frame, socket) => {
    if (frame.type === 'hello') return say(socket, WELCOME);
    if (frame.body === 'first') return say(socket, { type: 'error', code: 'invalid', message: 'Not like this.' });
    say(socket, { type: 'ack', nonce: frame.nonce, seq: 2 });
  };
  await open();
  await visitor.page.getByText('How are you?').waitFor();
  for (const text of ['first', 'second']) {
    await visitor.page.getByLabel('Your answer').fill(text);
    await visitor.page.getByLabel('Your answer').press('Enter');
  }
  await visitor.page.locator('.bubble.failed', { hasText: 'not delivered: Not like this.' }).waitFor();
  await expect.poll(() => visitor.page.locator('.bubble.mine:not(.sending, .failed)').count()).toBe(1);
});

test('the page and the server mean the same by their close codes', async () => {
  reply = (_, socket) => say(socket, WELCOME);
  await open();
  const protocol = (await visitor.page.evaluate("import('/modules/conversations/protocol.js')")) as {
    CLOSE: Record<string, number>;
  };
  expect(protocol.CLOSE).toEqual(CLOSE);
});

test('waits double up to a ceiling, are random, and are longest after a breach of the rules', async () => {
  reply = (_, socket) => say(socket, WELCOME);
  await open();
  const waits = await visitor.page.evaluate(`import('/modules/conversations/protocol.js').then((protocol) => ({
    ceilings: [1, 2, 3, 6, 60].map((failures) => protocol.backoffMs(failures, 1)),
    none: protocol.backoffMs(6, 0),
    policy: protocol.backoffMs(protocol.failuresAfter(0, ${CLOSE.policy}), 1),
    busy: protocol.backoffMs(protocol.failuresAfter(0, ${CLOSE.busy}), 1),
  }))`);
  expect(waits).toEqual({ ceilings: [500, 1_000, 2_000, 15_000, 15_000], none: 0, policy: 15_000, busy: 500 });
});

async function open(): Promise<void> {
  await visitor.page.goto(`${product().urls.chat}/c/1.1.${'x'.repeat(22)}`);
}

function say(socket: WebSocketRoute, frame: object): void {
  socket.send(JSON.stringify(frame));
}
