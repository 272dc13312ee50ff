import { createServer, type Socket } from 'node:net';
import getPort from 'get-port';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, inject, test } from 'vitest';
import { type Mail, openTransport, type Transport } from '../../src/mail/transport.ts';
import { mailsTo, readMail } from '../mails.ts';

const DOMAIN = 'transport.test';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function transportTo(url: string): Transport {
  const transport = openTransport(url);
  closers.push(() => transport.close());
  return transport;
}

function mailTo(recipient: string, change: Partial<Mail> = {}): Mail {
  return {
    from: 'Tardigrade <app@tardigrade.test>',
    to: `${recipient}@${DOMAIN}`,
    subject: 'Hello',
    text: 'Hello',
    html: '<p>Hello</p>',
    messageId: `<${recipient}@tardigrade.test>`,
    headers: {},
    ...change,
  };
}

let server: SMTPServer;
async function startSmtp(options: SMTPServerOptions): Promise<string> {
  server = new SMTPServer({ disabledCommands: ['STARTTLS'], authOptional: true, logger: false, ...options });
  server.on('error', () => undefined);
  const port = await getPort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return `smtp://127.0.0.1:${port}`;
}

test('a mail that the server accepts is sent, with its text, HTML and headers', async () => {
  const mail = mailTo('taken', { headers: { 'X-Note': '<https://example.test/1>' } });
  expect(await transportTo(inject('smtpUrl')).send(mail)).toEqual({ kind: 'sent' });
  const [caught, ...more] = await mailsTo(`taken@${DOMAIN}`);
  expect(more).toEqual([]);
  const read = await readMail(caught?.id ?? 0);
  expect(read.text.trim()).toBe('Hello');
  expect(read.html).toContain('<p>Hello</p>');
  expect(read.headers['x-note']).toBe('<https://example.test/1>');
});

test('every attempt to send a mail carries the same Message-ID', async () => {
  const transport = transportTo(inject('smtpUrl'));
  for (let copy = 0; copy < 2; copy++)
    await transport.send(mailTo('twice', { messageId: '<one-and-the-same@x.test>' }));
  expect((await mailsTo(`twice@${DOMAIN}`)).map((mail) => mail.messageId)).toEqual([
    '<one-and-the-same@x.test>',
    '<one-and-the-same@x.test>',
  ]);
});

test('an address that does not exist is refused with the reason that the server gave', async () => {
  const outcome = await transportTo(inject('smtpUrl')).send(mailTo('bounce-nobody'));
  expect(outcome).toEqual({ kind: 'refused', reason: expect.stringContaining('550 5.1.1 no such mailbox') });
});

test('a mail to a busy mailbox is to be sent later, and was certainly not sent', async () => {
  const outcome = await transportTo(inject('smtpUrl')).send(mailTo('defer-busy'));
  expect(outcome).toEqual({ kind: 'later', reason: expect.stringContaining('451'), maybeSent: false });
});

test('a refused mail leaves the connection usable for the next one', async () => {
  const transport = transportTo(inject('smtpUrl'));
  const outcomes = await Promise.all(
    ['bounce-a', 'fine-b', 'defer-c', 'fine-d', 'bounce-e', 'fine-f'].map((to) => transport.send(mailTo(to))),
  );
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['refused', 'sent', 'later', 'sent', 'refused', 'sent']);
});

test('a server that does not answer is unreachable', async () => {
  const outcome = await transportTo(`smtp://127.0.0.1:${await getPort()}`).send(mailTo('nobody'));
  expect(outcome.kind).toBe('unreachable');
});

test('a refused password is a fault of the server connection, not of the mail', async () => {
  const url = new URL(
    await startSmtp({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(Object.assign(new Error('bad credentials'), { responseCode: 535 })),
    }),
  );
  url.username = 'us';
  url.password = 'wrong';
  const outcome = await transportTo(url.href).send(mailTo('innocent'));
  expect(outcome).toEqual({ kind: 'unreachable', reason: expect.stringContaining('535') });
});

test('a server that refuses every connection is unreachable, and the mail is not blamed', async () => {
  const url = await startSmtp({
    onConnect: (_session, done) => done(Object.assign(new Error('not today'), { responseCode: 554 })),
  });
  expect((await transportTo(url).send(mailTo('innocent'))).kind).toBe('unreachable');
});

test('when the connection breaks after the whole mail went out, it may have been sent, and it went out once', async () => {
  let taken = 0;
  const url = await startSmtp({
    onData(stream) {
      stream.resume().on('end', () => {
        taken++;
        for (const { _socket } of server.connections as unknown as Set<{ _socket: Socket }>) _socket.destroy(); // it has the mail, and dies before it can say so
      });
    },
  });
  const outcome = await transportTo(url).send(mailTo('limbo'));
  expect(outcome).toEqual({ kind: 'later', reason: expect.any(String), maybeSent: true });
  expect(taken).toBe(1);
});

test('when the connection breaks before the mail went out, the server is unreachable', async () => {
  const server = createServer((socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (data) => (/^EHLO/.test(String(data)) ? socket.write('250 hi\r\n') : socket.destroy()));
    socket.on('error', () => undefined);
  });
  const port = await getPort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  expect((await transportTo(`smtp://127.0.0.1:${port}`).send(mailTo('early'))).kind).toBe('unreachable');
});

test('a line break in a subject or a name cannot add a header or a recipient', async () => {
  const transport = transportTo(inject('smtpUrl'));
  const attack = 'Hi\r\nBcc: victim@transport.test\r\nX-Injected: yes\r\n\r\nAnother body';
  await transport.send(
    mailTo('target', {
      subject: attack,
      from: `"${attack}" <app@tardigrade.test>`,
      headers: { 'X-Note': attack },
    }),
  );
  const [caught] = await mailsTo(`target@${DOMAIN}`);
  const read = await readMail(caught?.id ?? 0);
  expect(read.headers).not.toHaveProperty('x-injected');
  expect(read.headers).not.toHaveProperty('bcc');
  expect(read.text.trim()).toBe('Hello');
  expect(await mailsTo('victim@transport.test')).toEqual([]);
});

test('a mail cannot include files or remote content', async () => {
  const mail = { ...mailTo('curious'), text: { path: '/etc/hostname' } } as unknown as Mail;
  expect((await transportTo(inject('smtpUrl')).send(mail)).kind).not.toBe('sent');
  expect(await mailsTo(`curious@${DOMAIN}`)).toEqual([]);
});
