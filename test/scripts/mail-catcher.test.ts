import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import nodemailer from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMailCatcher, type MailCatcher } from '../../scripts/embedded/mail.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';

let folder: string;
let catcher: MailCatcher;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-mail-'));
  catcher = await startCatcher();
});

afterEach(async () => {
  await catcher.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('accepts mails over SMTP and lists them, newest first', async () => {
  await send({ to: 'ada@example.test', subject: 'First' });
  await send({ to: 'grace@example.test', subject: 'Wie geht es dir, Jürgen?' });
  const { total, mails } = await get('/api/mails');
  expect(total).toBe(2);
  expect(mails.map((mail: { subject: string }) => mail.subject)).toEqual(['Wie geht es dir, Jürgen?', 'First']);
  expect(mails[1]).toMatchObject({ to: 'ada@example.test', from: 'sender@example.test' });
});

test('finds mails by recipient and subject, and pages with before', async () => {
  for (const name of ['ada', 'grace', 'ada']) await send({ to: `${name}@example.test`, subject: `To ${name}` });
  expect((await get('/api/mails?to=ADA@')).total).toBe(2);
  expect((await get('/api/mails?subject=grace')).total).toBe(1);
  const newest = await get('/api/mails?limit=1');
  const next = await get(`/api/mails?limit=1&before=${newest.mails[0].id}`);
  expect(next).toMatchObject({ total: 3, mails: [{ subject: 'To grace' }] });
});

test('shows one mail with its parts and its headers', async () => {
  const headers = {
    'List-Id': '<news.example.test>',
    'X-Note': 'One=Two',
  };
  await send({
    to: 'ada@example.test',
    text: 'Hello Ada',
    html: '<b>Hello Ada</b>',
    messageId: '<one@example.test>',
    headers,
  });
  const mail = await get('/api/mails/1');
  expect(mail.text.trim()).toBe('Hello Ada');
  expect(mail.html.trim()).toBe('<b>Hello Ada</b>');
  expect(mail.messageId).toBe('<one@example.test>');
  expect(mail.headers).toMatchObject({
    'list-id': '<news.example.test>',
    'x-note': 'One=Two',
  });
});

test('counts a mail that came twice once', async () => {
  await send({ to: 'ada@example.test', messageId: '<one@example.test>' });
  await send({ to: 'ada@example.test', messageId: '<one@example.test>' });
  expect(await get('/api/counts')).toEqual({ accepted: 2, distinctMessageIds: 1, distinctRecipients: 1 });
});

test('refuses bounce- addresses always, and defer- addresses the first time only', async () => {
  await expect(send({ to: 'bounce-ada@example.test' })).rejects.toMatchObject({ responseCode: 550 });
  await expect(send({ to: 'defer-ada@example.test' })).rejects.toMatchObject({ responseCode: 451 });
  await send({ to: 'defer-ada@example.test' });
  expect((await get('/api/counts')).accepted).toBe(1);
});

test('answers a mail to a slow- address late, and others meanwhile', async () => {
  let answered = false;
  const slow = send({ to: 'slow-ada@example.test' }).finally(() => {
    answered = true;
  });
  slow.catch(() => undefined); // the catcher stops before it answers
  await send({ to: 'grace@example.test' });
  expect(answered).toBe(false);
  expect((await get('/api/counts')).accepted).toBe(1);
});

test('keeps its mails over a restart, and the numbers continue', async () => {
  await send({ to: 'ada@example.test', text: 'kept' });
  await catcher.stop();
  catcher = await startCatcher();
  await send({ to: 'grace@example.test' });
  const { mails } = await get('/api/mails');
  expect(mails.map((mail: { id: number }) => mail.id)).toEqual([2, 1]);
  expect((await get('/api/mails/1')).text.trim()).toBe('kept');
});

test('deletes everything on DELETE', async () => {
  await send({ to: 'ada@example.test' });
  await fetch(`${catcher.webUrl}/api/mails`, { method: 'DELETE' });
  expect(await get('/api/counts')).toEqual({ accepted: 0, distinctMessageIds: 0, distinctRecipients: 0 });
  expect((await fetch(`${catcher.webUrl}/api/mails/1`)).status).toBe(404);
});

test('shows the content of a mail without running it', async () => {
  const script = '<script>alert(1)</script>';
  await send({ to: 'ada@example.test', subject: script, text: script, html: script });
  for (const page of ['/', '/mail/1']) {
    const response = await fetch(catcher.webUrl + page);
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
    expect(await response.text()).not.toContain(script);
  }
  const html = await fetch(`${catcher.webUrl}/mail/1/html`);
  expect(html.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*sandbox/);
  expect(html.headers.get('content-security-policy')).not.toContain('allow-scripts');
});

test('answers only to its own host name, so that no other page can read it through DNS rebinding', async () => {
  const { port } = new URL(catcher.webUrl);
  const status = await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/api/mails', headers: { host: 'evil.example' } });
    asked.once('response', (response) => resolve(response.resume().statusCode));
    asked.once('error', reject).end();
  });
  expect(status).toBe(403);
});

async function startCatcher(): Promise<MailCatcher> {
  return createMailCatcher({
    folder,
    smtpPort: await choosePort('smtp', 'any'),
    webPort: await choosePort('mail', 'any'),
  });
}

async function send(mail: object): Promise<void> {
  const transport = nodemailer.createTransport(catcher.smtpUrl);
  await transport.sendMail({ from: 'Sender <sender@example.test>', subject: 'Hello', text: 'Hello', ...mail });
}

// biome-ignore lint/suspicious/noExplicitAny: what came back is what the tests look at.
async function get(address: string): Promise<any> {
  return (await fetch(catcher.webUrl + address)).json();
}
