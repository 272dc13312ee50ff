import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TICKET_MS } from '../../src/limits.ts';
import { createTicket, createTicketDesk, type TicketDesk, ticketOf } from '../../src/socket/ticket.ts';

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

async function redeem(at: TicketDesk<typeof GRANTS>, text: string): Promise<typeof GRANTS | undefined> {
  const ticket = at.check(text);
  return ticket !== undefined && (await ticket.redeem()) ? ticket.grants : undefined;
}

test('a ticket grants what it was made for, once, on whichever process', async () => {
  const [one, other] = [desk(), desk()];
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  expect(await redeem(one, ticket)).toEqual(GRANTS);
  expect(await redeem(one, ticket)).toBeUndefined();
  expect(await redeem(other, ticket)).toBeUndefined();
});

test('two uses at the same moment are one use', async () => {
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  const one = desk();
  const both = await Promise.all([redeem(one, ticket), redeem(one, ticket), redeem(desk(), ticket)]);
  expect(both.filter((grants) => grants !== undefined)).toEqual([GRANTS]);
});

test('without Redis a ticket still works, once on each process', async () => {
  isRedisDown = true;
  const one = desk();
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  expect(await redeem(one, ticket)).toEqual(GRANTS);
  expect(await redeem(one, ticket)).toBeUndefined();
  expect(await redeem(desk(), ticket)).toEqual(GRANTS);
});

test('nobody waits for a Redis that does not answer', async () => {
  const one = createTicketDesk<typeof GRANTS>({
    ...{ secretKey: SECRET, purpose: 'watch' },
    remember: () => new Promise(() => undefined),
  });
  expect(await redeem(one, one.create(GRANTS))).toEqual(GRANTS);
});

test.each([
  ['ticket, ticket.abc.def', 'abc.def'],
  ['ticket.abc.def,ticket', 'abc.def'],
  ['ticket', undefined],
  ['chat, other.ticket.abc', undefined],
  [undefined, undefined],
])('an upgrade that offers %j brings the ticket %j', (offered, ticket) => {
  expect(ticketOf({ headers: { 'sec-websocket-protocol': offered } })).toBe(ticket);
});

test('a ticket is good for a short time', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const ticket = createTicket(SECRET, 'watch', GRANTS);
  vi.setSystemTime(Date.now() + TICKET_MS + 1);
  expect(await redeem(desk(), ticket)).toBeUndefined();
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
  expect(await redeem(desk(), ticket)).toBeUndefined();
});
