import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { SMTP_ANSWER_MS, SMTP_GREETING_MS } from '../../src/limits.ts';
import {
  type Mail,
  openTransport,
  SMTP_TIMING,
  type Transport,
  type TransportSecurity,
} from '../../src/mail/transport.ts';
import { until } from '../database.ts';
import { mailsTo, readMail } from '../mails.ts';
import { startScriptedSmtp } from '../smtp.ts';

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
    from: { name: 'Tardigrade', address: 'app@tardigrade.test' },
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
  const port = await freePort();
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
  expect(outcome).toEqual({
    kind: 'refused',
    about: 'recipient',
    reason: expect.stringContaining('550 5.1.1 no such mailbox'),
  });
});

test('a mail to a busy mailbox is to be sent later, and was certainly not sent', async () => {
  const outcome = await transportTo(inject('smtpUrl')).send(mailTo('defer-busy'));
  expect(outcome).toEqual({ kind: 'deferred', about: 'recipient', reason: expect.stringContaining('451') });
});

test('a refused mail leaves the connection usable for the next one', async () => {
  const transport = transportTo(inject('smtpUrl'));
  const outcomes = await Promise.all(
    ['bounce-a', 'fine-b', 'defer-c', 'fine-d', 'bounce-e', 'fine-f'].map((to) => transport.send(mailTo(to))),
  );
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['refused', 'sent', 'deferred', 'sent', 'refused', 'sent']);
});

test('a server that does not answer is what holds the mail back', async () => {
  const outcome = await transportTo(`smtp://127.0.0.1:${await freePort()}`).send(mailTo('nobody'));
  expect(outcome).toEqual({ kind: 'held', about: 'server', reason: expect.stringContaining('ECONNREFUSED') });
});

test('a refused password is about the sender, not about the mail', async () => {
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
  expect(outcome).toEqual({ kind: 'held', about: 'sender', reason: expect.stringContaining('535') });
});

test('a server that refuses every connection holds the mail back, and the mail is not blamed', async () => {
  const url = await startSmtp({
    onConnect: (_session, done) => done(Object.assign(new Error('not today'), { responseCode: 554 })),
  });
  expect(await transportTo(url).send(mailTo('innocent'))).toMatchObject({ kind: 'held', about: 'server' });
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
  expect(outcome).toEqual({ kind: 'unanswered', after: 'break', reason: expect.any(String) });
  expect(taken).toBe(1);
});

test('when the connection breaks before the mail went out, it was not sent', async () => {
  const server = createServer((socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (data) => (/^EHLO/.test(String(data)) ? socket.write('250 hi\r\n') : socket.destroy()));
    socket.on('error', () => undefined);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  expect(await transportTo(`smtp://127.0.0.1:${port}`).send(mailTo('early'))).toMatchObject({
    kind: 'held',
    about: 'server',
  });
});

test('a server that greets late is waited for', async () => {
  const connectMs = 5_000;
  const smtp = await startScriptedSmtp({ greet: () => sleep(connectMs + 500, undefined) });
  closers.push(() => smtp.close());
  const patient = openTransport(smtp.url, { connectMs, greetingMs: 30_000, answerMs: 30_000 });
  closers.push(() => patient.close());
  expect(await patient.send(mailTo('late'))).toEqual({ kind: 'sent' });
  const impatient = openTransport(smtp.url, { connectMs, greetingMs: 200, answerMs: 30_000 });
  closers.push(() => impatient.close());
  expect(await impatient.send(mailTo('late'))).toMatchObject({ kind: 'held', about: 'server' });
});

test('an answer to the final dot that takes long is waited for, and a silence after it is no refusal', async () => {
  const otherMs = 5_000;
  const smtp = await startScriptedSmtp({ end: () => sleep(otherMs + 500, undefined) });
  closers.push(() => smtp.close());
  const patient = openTransport(smtp.url, { connectMs: otherMs, greetingMs: otherMs, answerMs: 30_000 });
  closers.push(() => patient.close());
  expect(await patient.send(mailTo('slow'))).toEqual({ kind: 'sent' });
  const impatient = openTransport(smtp.url, { connectMs: otherMs, greetingMs: otherMs, answerMs: 1_000 });
  closers.push(() => impatient.close());
  expect(await impatient.send(mailTo('slow'))).toMatchObject({ kind: 'unanswered', after: 'silence' });
  expect(smtp.received).toHaveLength(2);
});

test('the limits are at least those of RFC 5321 4.5.3.2', () => {
  expect(SMTP_GREETING_MS).toBeGreaterThanOrEqual(5 * 60_000);
  expect(SMTP_ANSWER_MS).toBeGreaterThanOrEqual(10 * 60_000);
});

test('whoever gives up learns whether the server has the mail', async () => {
  const smtp = await startScriptedSmtp({ end: () => new Promise(() => undefined) });
  closers.push(() => smtp.close());
  const transport = transportTo(smtp.url);
  const giveUp = new AbortController();
  const late = transport.send(mailTo('late'), giveUp.signal);
  await until('the server has it', () => smtp.received.length === 1);
  giveUp.abort();
  expect(await late).toMatchObject({ kind: 'unanswered', after: 'silence' });

  smtp.script = { mailFrom: () => new Promise(() => undefined) };
  const tooEarly = new AbortController();
  const early = transport.send(mailTo('early'), tooEarly.signal);
  await until('it has begun', () => smtp.transactions === 2);
  tooEarly.abort();
  expect(await early).toEqual({ kind: 'withdrawn' });
});

test('whatever a mail library would read into an address, it stays one mailbox', async () => {
  const smtp = await startScriptedSmtp();
  closers.push(() => smtp.close());
  const transport = transportTo(smtp.url);
  const returnTo = 'b+ref@bounces.test';
  for (const to of ['ada,ben@list.test', 'team:fay@list.test;', 'gus(work)@list.test']) {
    await transport.send(mailTo('x', { to }));
    await transport.send(mailTo('x', { to, returnTo }));
  }
  // Quoted, so that a server refuses it or knows it, and nobody else gets the mail.
  expect(smtp.received.map(({ to }) => to)).toEqual(
    ['"ada,ben"@list.test', '"team:fay"@list.test;', '"gus(work)"@list.test'].flatMap((to) => [to, to]),
  );
});

test('a line break in a subject or a name cannot add a header or a recipient', async () => {
  const transport = transportTo(inject('smtpUrl'));
  const attack = 'Hi\r\nBcc: victim@transport.test\r\nX-Injected: yes\r\n\r\nAnother body';
  await transport.send(
    mailTo('target', {
      subject: attack,
      from: { name: attack, address: 'app@tardigrade.test' },
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

test('a subject that looks like an encoded word is read as it is written', async () => {
  const subject = 'Hello =?utf-8?q?Bcc:_evil?= and =?utf-8?b?4oCueW91?= there';
  expect(await transportTo(inject('smtpUrl')).send(mailTo('encoded', { subject }))).toEqual({ kind: 'sent' });
  expect((await mailsTo(`encoded@${DOMAIN}`))[0]?.subject).toBe(subject);
});

test('a mail cannot include files or remote content', async () => {
  const mail = { ...mailTo('curious'), text: { path: '/etc/hostname' } } as unknown as Mail;
  expect(await transportTo(inject('smtpUrl')).send(mail)).toMatchObject({ kind: 'refused', about: 'mail' });
  expect(await mailsTo(`curious@${DOMAIN}`)).toEqual([]);
});

test('a mail is returned to the sender in its envelope, and shows the one in its header', async () => {
  let envelope: SMTPServerSession['envelope'] | undefined;
  let source = '';
  const url = await startSmtp({
    onData(stream, session, done) {
      envelope = session.envelope;
      stream.setEncoding('utf8').on('data', (chunk) => {
        source += chunk;
      });
      stream.on('end', () => done());
    },
  });
  await transportTo(url).send(mailTo('returned', { returnTo: 'b+ref@bounces.test' }));
  expect(envelope).toMatchObject({
    mailFrom: { address: 'b+ref@bounces.test' },
    rcptTo: [{ address: `returned@${DOMAIN}` }],
  });
  expect(source).toMatch(/^From: Tardigrade <app@tardigrade\.test>/m);
});

test('a mail is signed with our key, and the signature holds for what was sent and for nothing else', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let mail = '';
  const url = await startSmtp({
    onData(stream, _session, done) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        mail += chunk;
      });
      stream.on('end', () => done());
    },
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const transport = openTransport(url, SMTP_TIMING, {
    tls: 'offered',
    dkim: { domain: 'tardigrade.test', selector: 'mail', key },
  });
  closers.push(() => transport.close());
  const headers = { 'List-Help': '<https://x.test/u/1>', 'X-Of-Ours': 'One' };
  await transport.send(mailTo('signed', { headers, subject: 'Grüße' }));

  const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const resolver = async (name: string) => {
    if (name !== 'mail._domainkey.tardigrade.test') throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
    return [[`v=DKIM1; k=rsa; p=${published}`]];
  };
  const verified = async (text: string) => (await dkimVerify(Buffer.from(text), { resolver })).results;
  expect(await verified(mail)).toMatchObject([
    { signingDomain: 'tardigrade.test', selector: 'mail', status: { result: 'pass', aligned: 'tardigrade.test' } },
  ]);
  for (const changed of [
    mail.replace('Hello', 'Hallo'),
    mail.replace('x.test/u/1', 'y.test/u/1'),
    mail.replace('X-Of-Ours: One', 'X-Of-Ours: Two'),
  ]) {
    expect(changed).not.toBe(mail);
    expect((await verified(changed))[0]?.status.result).not.toBe('pass');
  }
});

describe('an address with other letters before the @', () => {
  const to = `jürgen@xn--mnchen-3ya.test`;

  test('is sent to where the server offers SMTPUTF8', async () => {
    const sessions: SMTPServerSession['envelope'][] = [];
    const url = await startSmtp({
      onData(stream, { envelope }, done) {
        sessions.push(envelope);
        stream.resume().on('end', () => done());
      },
    });
    const transport = transportTo(url);
    for (let copy = 0; copy < 2; copy++) expect(await transport.send(mailTo('x', { to }))).toEqual({ kind: 'sent' });
    expect(sessions.map(({ rcptTo, mailFrom }) => [rcptTo[0]?.address, mailFrom ? mailFrom.args : undefined])).toEqual(
      Array(2).fill(['jürgen@münchen.test', expect.objectContaining({ SMTPUTF8: true })]),
    );
  });

  test('is refused in words where it does not, without the mailbox being asked, and others are sent to', async () => {
    const smtp = await startScriptedSmtp();
    closers.push(() => smtp.close());
    const transport = transportTo(smtp.url);
    expect(await transport.send(mailTo('x', { to }))).toEqual({
      kind: 'refused',
      about: 'unsupported',
      reason: 'The mail server cannot send to an address with such letters before the @ (SMTPUTF8)',
    });
    expect(smtp.transactions).toBe(0);
    expect(await transport.send(mailTo('plain'))).toEqual({ kind: 'sent' });
  });

  test('waits while the server is away, as every other does', async () => {
    const transport = transportTo(`smtp://127.0.0.1:${await freePort()}`);
    expect(await transport.send(mailTo('x', { to }))).toMatchObject({ kind: 'held', about: 'server' });
  });
});

describe('encryption', () => {
  const secured = (url: string, security: TransportSecurity) => {
    const transport = openTransport(url, SMTP_TIMING, security);
    closers.push(() => transport.close());
    return transport;
  };
  /** With the certificate of smtp-server itself, which nobody has signed. */
  const selfSigned: SMTPServerOptions = { disabledCommands: [] };

  test('a server with a certificate that nobody vouches for gets no mail, and no recipient is blamed', async () => {
    const sessions: boolean[] = [];
    const url = await startSmtp({
      ...selfSigned,
      onData(stream, session, done) {
        sessions.push(session.secure);
        stream.resume().on('end', () => done());
      },
    });
    for (const tls of ['offered', 'required'] as const)
      expect(await secured(url, { tls }).send(mailTo('secret'))).toMatchObject({
        kind: 'held',
        about: 'server',
        reason: expect.stringMatching(/certificate/i),
      });
    expect(sessions).toEqual([]);
    expect(await secured(url, { tls: 'unchecked' }).send(mailTo('secret'))).toEqual({ kind: 'sent' });
    expect(sessions).toEqual([true]);
  });

  test('where it is required, a server that does not offer it gets no mail', async () => {
    const url = await startSmtp({});
    expect(await secured(url, { tls: 'required' }).send(mailTo('plain'))).toMatchObject({
      kind: 'held',
      about: 'server',
    });
    expect(await secured(url, { tls: 'offered' }).send(mailTo('plain'))).toEqual({ kind: 'sent' });
  });
});
