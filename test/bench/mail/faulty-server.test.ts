import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultyServer, startFaultyServer } from '../../../bench/mail/faulty-server.ts';
import { openTransport, type Transport } from '../../../src/mail/transport.ts';

let server: FaultyServer;
let transport: Transport;
beforeEach(async () => {
  server = await startFaultyServer();
  transport = openTransport(server.url);
});
afterEach(async () => {
  transport.close();
  await server.stop();
});

const send = (n: number) =>
  transport.send({
    from: { name: '', address: 'us@faulty.test' },
    to: `person-${n}@faulty.test`,
    subject: 'Hello',
    text: 'Hello',
    html: '<p>Hello</p>',
    messageId: `<${n}@faulty.test>`,
    headers: {},
  });

test('it keeps a record of what it took, and of nothing that it refused', async () => {
  expect(await send(1)).toEqual({ kind: 'sent' });
  server.faults = (command) => (command === 'end' ? { code: 554, words: '5.6.0 not wanted' } : undefined);
  expect(await send(2)).toMatchObject({ kind: 'refused', about: 'mail' });
  server.faults = (command) => (command === 'RCPT TO' ? { code: 550, words: '5.1.1 no such user' } : undefined);
  expect(await send(3)).toMatchObject({ kind: 'refused', about: 'recipient' });
  expect(server.taken.map(({ messageId, to }) => [messageId, to])).toEqual([
    ['<1@faulty.test>', 'person-1@faulty.test'],
  ]);
  expect(Object.fromEntries(server.refusals)).toEqual({ 550: 1, 554: 1 });
});

test('a mail that it answers late is taken', async () => {
  server.faults = (command) => (command === 'end' ? { hangMs: 200 } : undefined);
  const begun = performance.now();
  expect(await send(1)).toEqual({ kind: 'sent' });
  expect(performance.now() - begun).toBeGreaterThan(190);
  expect(server.taken).toHaveLength(1);
});
