import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  REPORT_BYTES_MAX,
  REPORT_CONNECTIONS_OF_NETWORK_MAX,
  REPORT_READING,
  REPORT_READING_OF_NETWORK,
} from '../../src/limits.ts';
import type { MailEvent } from '../../src/mail/mail-event.ts';
import { bounceAddress, createReference, type MailReference } from '../../src/mail/mail-reference.ts';
import { openReportReceiver, type ReportReceiver, type ReportReceiverOptions } from '../../src/mail/report-receiver.ts';
import { networkOf } from '../../src/process/client-address.ts';
import { makeCertificate } from '../certificate.ts';
import { until } from '../database.ts';
import { bounceMail, complaintMail } from './reports.ts';

const SECRET_KEY = 'a key of at least thirty-two characters';
const DOMAIN = 'bounces.test';
const NOTE: MailReference = { kind: 'note', target: { orgId: 3, id: 44 } };
const reference = createReference(SECRET_KEY, NOTE);
const VERP = bounceAddress(reference, DOMAIN);

let receiver: ReportReceiver;
let taken: { reference: MailReference; event: MailEvent }[] = [];
let fault: Error | undefined;
const faults: unknown[] = [];
beforeEach(async () => {
  taken = [];
  fault = undefined;
  faults.length = 0;
  receiver = await open();
});

function open(more: Partial<ReportReceiverOptions> = {}): Promise<ReportReceiver> {
  return openReportReceiver({
    host: '127.0.0.1',
    port: 0,
    domain: DOMAIN,
    secretKey: SECRET_KEY,
    networkOf,
    async take(reference, event) {
      if (fault !== undefined) throw fault;
      taken.push({ reference, event });
    },
    onFault: (error) => void faults.push(error),
    ...more,
  });
}
afterEach(() => receiver.close());

/** As a mail server does it: the codes of all replies, up to the first refusal. */
async function deliver(text: string, to: readonly string[] = [VERP], from = ''): Promise<string[]> {
  const socket = connect(receiver.port, '127.0.0.1');
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const said: string[] = [];
  const reply = async () => {
    for (;;) {
      const { value = '' } = await replies.next();
      if (value.charAt(3) === '-') continue;
      said.push(value);
      return value;
    }
  };
  try {
    await reply();
    const commands = [
      'EHLO mx.corp.test',
      `MAIL FROM:<${from}>`,
      ...to.map((address) => `RCPT TO:<${address}>`),
      'DATA',
    ];
    for (const command of commands) {
      socket.write(`${command}\r\n`);
      if (!/^[23]/.test(await reply())) return said;
    }
    socket.write(`${text.replace(/^\./gm, '..')}\r\n.\r\n`);
    await reply();
    return said;
  } finally {
    socket.destroy();
  }
}

test('a bounce to the address of its mail is stored before it is acknowledged', async () => {
  expect((await deliver(bounceMail({}))).at(-1)).toMatch(/^250 /);
  expect(taken).toEqual([
    { reference: NOTE, event: { kind: 'bounce', permanent: true, reason: '550 5.1.1 <gone@corp.test>: User unknown' } },
  ]);
});

test('a complaint is known by the mail that it quotes', async () => {
  const text = complaintMail({ messageId: `<${reference}@acme.test>` });
  expect((await deliver(text, [`complaints@${DOMAIN}`], 'feedback@provider.test')).at(-1)).toMatch(/^250 /);
  expect(taken).toEqual([
    { reference: NOTE, event: { kind: 'complaint', reason: 'abuse, reported by SomeProvider/1.0' } },
  ]);
});

test.each([
  ['of nobody', `someone@${DOMAIN}`],
  ['with a forged signature', VERP.replace(/.{4}@/, '0000@')],
  ['of another domain', VERP.replace(DOMAIN, 'elsewhere.test')],
])('an address %s is refused before any mail is sent', async (_, address) => {
  expect((await deliver(bounceMail({}), [address])).at(-1)).toMatch(/^550 5\.1\.1/);
  expect(taken).toEqual([]);
});

test('a complaint about a mail that we did not sign is taken, and changes nothing', async () => {
  const text = complaintMail({ messageId: '<note.1.1.000000000000000000000000@acme.test>' });
  expect((await deliver(text, [`complaints@${DOMAIN}`])).at(-1)).toMatch(/^250 /);
  expect(taken).toEqual([]);
});

test('a vacation note to the address of a bounce changes nothing', async () => {
  const note = 'From: ada@corp.test\r\nSubject: I am away\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday';
  expect((await deliver(note)).at(-1)).toMatch(/^250 /);
  expect(taken).toEqual([]);
});

test('a report that cannot be stored is to be brought again', async () => {
  fault = new Error('the database is away');
  expect((await deliver(bounceMail({}))).at(-1)).toMatch(/^451 /);
  expect(faults).toEqual([fault]);
  fault = undefined;
  expect((await deliver(bounceMail({}))).at(-1)).toMatch(/^250 /);
  expect(taken).toHaveLength(1);
});

test('a mail that is larger than any report is refused, whatever its sender said about its size', async () => {
  const large = `${bounceMail({})}${'x'.repeat(72)}\r\n`.padEnd(REPORT_BYTES_MAX + 100, 'a long line\r\n');
  expect((await deliver(large)).at(-1)).toMatch(/^552 /);
  expect(taken).toEqual([]);
  expect(faults).toEqual([]);
});

test('a second recipient of the same mail is to come on its own', async () => {
  expect((await deliver(bounceMail({}), [VERP, `complaints@${DOMAIN}`])).at(-1)).toMatch(/^452 4\.5\.3/);
});

test('without a certificate no STARTTLS is offered', async () => {
  const client = createTransport({ host: '127.0.0.1', port: receiver.port, requireTLS: true });
  await expect(client.sendMail({ envelope: { from: '', to: VERP }, raw: bounceMail({}) })).rejects.toThrow(/STARTTLS/);
});

test('with a certificate a server that insists on TLS is served, also after the certificate was renewed', async () => {
  const pair = makeCertificate(DOMAIN);
  onTestFinished(pair.remove);
  const secured = await open({ certificate: pair, certificateEveryMs: 20 });
  onTestFinished(secured.close);
  const bring = () => {
    const tls = { ca: readFileSync(pair.certificate), servername: DOMAIN };
    const client = createTransport({ host: '127.0.0.1', port: secured.port, requireTLS: true, tls });
    return client.sendMail({ envelope: { from: '', to: VERP }, raw: bounceMail({}) });
  };
  await bring();
  expect(taken).toHaveLength(1);
  pair.renew();
  await until('the new one is shown', () =>
    bring().then(
      () => true,
      () => false,
    ),
  );
  expect(taken.length).toBeGreaterThan(1);
});

test('a certificate that cannot be used is said at the start, and a renewed one that cannot be leaves the old one', async () => {
  const pair = makeCertificate(DOMAIN);
  onTestFinished(pair.remove);
  const missing = open({ certificate: { ...pair, key: '/nowhere/key.pem' } });
  await expect(missing).rejects.toThrow(/MAIL_BOUNCE_CERTIFICATE and MAIL_BOUNCE_KEY cannot be used: .*nowhere/);
  const secured = await open({ certificate: pair, certificateEveryMs: 20 });
  onTestFinished(secured.close);
  const ca = readFileSync(pair.certificate);
  writeFileSync(pair.key, 'half of a');
  await until('it was read', () => faults.length > 0);
  const tls = { ca, servername: DOMAIN };
  const client = createTransport({ host: '127.0.0.1', port: secured.port, requireTLS: true, tls });
  await client.sendMail({ envelope: { from: '', to: VERP }, raw: bounceMail({}) });
  expect(taken).toHaveLength(1);
});

test('a network that opens connections and says nothing has a share of them, and gets another when one ends', async () => {
  const greeting = () => {
    const socket = connect(receiver.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const first = createInterface({ input: socket })[Symbol.asyncIterator]().next();
    return { socket, first: first.then(({ value }) => String(value).slice(0, 3)) };
  };
  const silent = Array.from({ length: REPORT_CONNECTIONS_OF_NETWORK_MAX }, greeting);
  for (const { first } of silent) expect(await first).toBe('220');
  expect(await greeting().first).toBe('421');
  silent[0]?.socket.destroy();
  await until('there is room again', async () => (await greeting().first) === '220');
});

test('a network whose reports cost more than its share of the CPU is to bring the next ones later, and others are served', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  let network = 'noisy';
  let used = 0;
  await receiver.close();
  // Each reading asks twice, so it costs half of what a network may use at once, and a little more.
  const cpuMs = () => (used += REPORT_READING_OF_NETWORK.burst / 2 + 1);
  receiver = await open({ networkOf: () => network, cpuMs });
  const bring = async () => (await deliver(bounceMail({}))).at(-1)?.slice(0, 9);
  expect([await bring(), await bring()]).toEqual([expect.stringMatching(/^250/), expect.stringMatching(/^250/)]);
  expect(await bring()).toBe('451 4.7.0');
  network = 'another';
  expect(await bring()).toMatch(/^250/);
  network = 'noisy';
  vi.advanceTimersByTime(1_000);
  expect(await bring()).toMatch(/^250/);
  expect(taken).toHaveLength(4);
});

test('any number of networks cost no more together than reports may', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  let networks = 0;
  let used = 0;
  await receiver.close();
  receiver = await open({
    networkOf: () => `network ${networks}`,
    cpuMs: () => (used += REPORT_READING.burst / 4 + 1),
  });
  const replies: (string | undefined)[] = [];
  for (; networks < 6; networks++) replies.push((await deliver(bounceMail({}))).at(-1)?.slice(0, 3));
  expect(replies).toEqual(['250', '250', '250', '250', '451', '451']);
});
