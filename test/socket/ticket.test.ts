import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TICKET_MS } from '../../src/limits.ts';
import { createTicket, createTicketDesk } from '../../src/socket/ticket.ts';

const SECRET = 'a secret key for tests, longer than 32 characters';
const GRANTS = { orgId: 7, name: 'Mara' };
let remembered: Set<string>;
let isRedisDown: boolean;

beforeEach(() => {
  remembered = new Set();
  isRedisDown = false;
});
afterEach(() => vi.useRealTimers());

/** One process; all of them share what is remembered. */
const desk = (purpose = 'watch', secretKey = SECRET) =>
  createTicketDesk<typeof GRANTS>({
    secretKey,
    purpose,
    async remember(id) {
      if (isRedisDown) throw new Error('down');
      return remembered.size < remembered.add(id).size;
    },
  });

test('a ticket grants what it was made for, once, on whichever process', async () => {
  const [one, other] = [desk(), desk()];
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  expect(await one.redeem(ticket)).toEqual(GRANTS);
  expect(await one.redeem(ticket)).toBeUndefined();
  expect(await other.redeem(ticket)).toBeUndefined();
});

test('two uses at the same moment are one use', async () => {
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  const both = await Promise.all([desk().redeem(ticket), desk().redeem(ticket)]);
  expect(both.filter((grants) => grants !== undefined)).toEqual([GRANTS]);
});

test('without Redis a ticket still works, once on each process', async () => {
  isRedisDown = true;
  const one = desk();
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  expect(await one.redeem(ticket)).toEqual(GRANTS);
  expect(await one.redeem(ticket)).toBeUndefined();
});

test('a ticket is good for a short time', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  vi.setSystemTime(Date.now() + TICKET_MS + 1);
  expect(await desk().redeem(ticket)).toBeUndefined();
});

test.each([
  ['for another purpose', createTicket(SECRET, 'other', GRANTS)],
  ['signed by somebody else', createTicket(`${SECRET}!`, 'watch', GRANTS)],
  ['that was changed', createTicket(SECRET, 'watch', GRANTS).replace(/^./, 'x')],
  ['with more behind it', `${createTicket(SECRET, 'watch', GRANTS)}.more`],
  ['that is empty', ''],
  ['that is only a dot', '.'],
  ['that is far too long', 'x'.repeat(1_000_000)],
])('a ticket %s grants nothing', async (_, ticket) => {
  expect(await desk().redeem(ticket)).toBeUndefined();
});
