import { expect, test } from 'vitest';
import { readReference } from '../../../src/mail/mail-reference.ts';
import { createLinkToken, type PersonalLink, readLinkToken } from '../../../src/mail/personal-link.ts';
import { renderMail, toMail } from '../../../src/modules/campaigns/campaign-mail.ts';
import { tokenIn } from '../../mails.ts';

const LINKS = { actions: [{ label: 'Begin', url: 'https://chat.test/c/1' }], unsubscribe: 'https://api.test/u/1' };
const render = (subject: string, body: string, name = 'Ada', organisation = 'Acme') =>
  renderMail({ subject, body }, { name, organisation }, LINKS);

test('name and organisation are filled in, in subject, text and HTML, as often as they are named', () => {
  const { subject, text, html } = render('{{name}}, {{ name }}!', 'Hello {{name}},\n\nfrom {{organisation}}');
  expect(subject).toBe('Ada, Ada!');
  expect(text).toContain('Hello Ada,\n\nfrom Acme');
  expect(html).toContain('Hello Ada,</p>');
  expect(html).toContain('from Acme</p>');
});

test('any other placeholder, stored before they were refused, stays what was written', () => {
  expect(render('{{email}} {{constructor}} {name}', 'x').subject).toBe('{{email}} {{constructor}} {name}');
});

test('a name is never read as a template, a pattern or HTML', () => {
  const name = '{{organisation}} $& <img src=x onerror="alert(1)"> & \'co\'';
  const { subject, text, html } = render('{{name}}', '{{name}} <b>{{organisation}}</b>', name, '<Acme>');
  expect(subject).toBe(name);
  expect(text).toContain(`${name} <b><Acme></b>`);
  expect(html).not.toMatch(/<img|<b>|<Acme>|onerror="/);
  expect(html).toContain('&#60;b&#62;&#60;Acme&#62;&#60;/b&#62;');
});

test('a link cannot leave its attribute', () => {
  const { html } = renderMail(
    { subject: 's', body: 'b' },
    { name: 'n', organisation: 'o' },
    { ...LINKS, actions: [{ label: '<b>', url: '"><script>' }] },
  );
  expect(html).not.toMatch(/<script>|<b>/);
});

test('the subject is one line, whatever the name brings', () => {
  expect(render('Hello {{name}}', 'x', 'Ada\r\nBcc: all@example.test').subject).toBe('Hello Ada Bcc: all@example.test');
});

test('the text says both links in full, one to a line of its own', () => {
  const { text } = render('s', 'b');
  expect(text).toContain(`Begin:\n${LINKS.actions[0]?.url}\n`);
  expect(text).toContain(`Unsubscribe: ${LINKS.unsubscribe}\n`);
});

test('a reach-out always makes the same mail, and another one another', () => {
  const config = {
    mailFrom: 'Acme <hello@acme.test>',
    mailBounceDomain: undefined,
    secretKey: 'a key of at least thirty-two characters',
    chatUrl: 'https://chat.test',
    apiUrl: 'https://api.test',
  };
  const link: PersonalLink = {
    label: 'Begin',
    url: ({ chatUrl, secretKey }, target) => `${chatUrl}/c/${createLinkToken(secretKey, 'begin', target)}`,
  };
  const sender = { config, links: [link] };
  const to = { orgId: 3, id: 44, email: 'ada@acme.test', name: 'Ada', organisation: 'Acme' };
  const template = { id: 7, subject: 'Hi', body: 'Hi' };
  const mail = toMail(sender, template, to);
  expect(toMail(sender, template, to)).toEqual(mail);
  expect(mail.messageId).toMatch(/^<reach-out\.3\.18\.[0-9a-f]{24}@acme\.test>$/);
  expect(toMail(sender, template, { ...to, id: 45 }).messageId).not.toBe(mail.messageId);

  const target = { orgId: 3, id: 44 };
  const reference = { kind: 'reach-out', target };
  expect(readReference(config.secretKey, mail.messageId)).toEqual(reference);
  expect(readReference(config.secretKey, mail.headers['X-Mail-Reference'] ?? '')).toEqual(reference);
  expect(mail.returnTo).toBeUndefined();
  const bouncing = toMail({ config: { ...config, mailBounceDomain: 'bounces.test' }, links: [link] }, template, to);
  expect(bouncing).toEqual({ ...mail, returnTo: expect.stringMatching(/^b\+reach-out\..*@bounces\.test$/) });
  expect(readReference(config.secretKey, bouncing.returnTo ?? '')).toEqual(reference);
  expect(readLinkToken(config.secretKey, 'begin', tokenIn(mail.text, 'c'))).toEqual(target);
  expect(readLinkToken(config.secretKey, 'unsubscribe', tokenIn(mail.text, 'u'))).toEqual(target);
  // RFC 8058: both headers, and an https address that takes the POST.
  expect(mail.headers).toMatchObject({
    'List-Unsubscribe': `<https://api.test/u/${tokenIn(mail.text, 'u')}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'Auto-Submitted': 'auto-generated',
    Precedence: 'bulk',
    'Feedback-ID': '7:3:reach-out:tardigrade',
  });
});

test('without a page to lead to, a mail has its text and the way to unsubscribe', () => {
  const { text, html } = renderMail(
    { subject: 's', body: 'b' },
    { name: 'n', organisation: 'o' },
    { actions: [], unsubscribe: LINKS.unsubscribe },
  );
  expect(text).toMatch(/^b\n\n--\n/);
  expect(html.match(/<a /g)).toHaveLength(1);
});
