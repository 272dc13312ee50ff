import { expect, test } from 'vitest';
import { MAIL_REASON_CHARS_MAX, REPORT_BYTES_MAX, REPORT_LINES_MAX } from '../../src/limits.ts';
import { parseDeliveryReport } from '../../src/mail/delivery-report.ts';
import { bounceMail, complaintMail } from './reports.ts';

const parse = (text: string, sentTo: string[] = []) => parseDeliveryReport(Buffer.from(text), sentTo);

test('a bounce says that the mailbox is gone, in the words of the server that refused it', async () => {
  expect(await parse(bounceMail({ messageId: '<ours@acme.test>' }), ['b+ref@bounces.test'])).toEqual({
    event: { kind: 'bounce', permanent: true, reason: '550 5.1.1 <gone@corp.test>: User unknown' },
    references: ['b+ref@bounces.test', '<ours@acme.test>'],
  });
});

test.each<[string, { status: string; diagnostic: string }, boolean]>([
  ['a mailbox that does not exist', { status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 no such user' }, true],
  ['only the words of the server', { status: '5.0.0', diagnostic: 'smtp; 550 5.1.10 not found' }, true],
  ['a status and no words', { status: '5.1.1', diagnostic: '' }, true],
  ['a mailbox that is closed', { status: '5.2.1', diagnostic: 'smtp; 550 5.2.1 disabled' }, true],
  ['a domain that does not exist', { status: '5.1.2', diagnostic: 'dns; host not found' }, true],
  ['a mailbox that is full', { status: '5.2.2', diagnostic: 'smtp; 552 5.2.2 mailbox full' }, false],
  ['a mailbox that is full, in words', { status: '5.0.0', diagnostic: 'smtp; 550 user is over quota' }, false],
  ['our reputation', { status: '5.7.1', diagnostic: 'smtp; 554 5.7.1 blocked using zen.spamhaus.org' }, false],
  ['our DMARC policy', { status: '5.7.26', diagnostic: 'smtp; 550 5.7.26 unauthenticated' }, false],
  ['the content of the mail', { status: '5.6.0', diagnostic: 'smtp; 554 5.6.0 content rejected' }, false],
  ['a server that was away for days', { status: '4.4.1', diagnostic: 'smtp; connection timed out' }, false],
  ['no status at all', { status: '', diagnostic: '' }, false],
  ['what it took the mail for', { status: '5.7.1', diagnostic: 'smtp; 550 5.7.1 likely unsolicited mail' }, false],
  [
    'a server that was away, at last',
    { status: '5.4.7', diagnostic: 'smtp; 554 5.4.7 [internal] message timeout' },
    false,
  ],
  ['the same in other words', { status: '5.4.300', diagnostic: 'smtp; 550 5.4.300 Message expired' }, false],
  ['a loop between servers', { status: '5.4.14', diagnostic: 'smtp; 554 5.4.14 Hop count exceeded' }, false],
  ['an address that reads like our fault', { status: '5.0.0', diagnostic: 'smtp; 550 relay@corp.test unknown' }, true],
])('%s: permanent is judged by whose fault it is', async (_, { status, diagnostic }, permanent) => {
  const report = await parse(bounceMail({ status, diagnostic }));
  expect(report?.event).toMatchObject({ kind: 'bounce', permanent });
});

test.each(['delayed', 'delivered', 'relayed', 'expanded'])(
  'a report that the mail was %s is nothing to act on',
  async (action) => {
    expect(await parse(bounceMail({ action }))).toBeUndefined();
  },
);

test('a returned mail may be there as a whole, or only with its headers', async () => {
  for (const returnedAs of ['message/rfc822', 'text/rfc822-headers', 'message/global'])
    expect((await parse(bounceMail({ returnedAs, messageId: '<ours@acme.test>' })))?.references).toEqual([
      '<ours@acme.test>',
    ]);
});

test('a complaint names the mail by its envelope and its Message-ID', async () => {
  const text = complaintMail({ messageId: '<ours@acme.test>', originalMailFrom: '<b+ref@bounces.test>' });
  expect(await parse(text, ['complaints@bounces.test'])).toEqual({
    event: { kind: 'complaint', reason: 'abuse, reported by SomeProvider/1.0' },
    references: ['complaints@bounces.test', '<ours@acme.test>', 'b+ref@bounces.test'],
  });
});

test.each(['not-spam', 'auth-failure', 'virus', 'other'])(
  'feedback of the type %s is not a complaint',
  async (type) => {
    expect(await parse(complaintMail({ type }))).toBeUndefined();
  },
);

test.each([
  ['a vacation note', 'From: a@b.test\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\n550 5.1.1 I am away'],
  ['a mail that only quotes a report', `From: a@b.test\r\nContent-Type: text/plain\r\n\r\n${bounceMail({})}`],
  ['nothing', ''],
  ['bytes', '\u0000\u0001\u0002\r\n\r\n\u0000'],
  ['a report without its fields', bounceMail({}).replace('message/delivery-status', 'text/plain')],
  ['parts within parts without an end', nested(60)],
])('%s is not a report', async (_, text) => {
  expect(await parse(text)).toBeUndefined();
});

test('a comment behind the action does not matter', async () => {
  const report = await parse(bounceMail({ action: 'failed (bad destination mailbox address)' }));
  expect(report?.event).toMatchObject({ kind: 'bounce', permanent: true });
});

test('a reason has no characters that nobody can see, and none that the database refuses', async () => {
  const report = await parse(bounceMail({ diagnostic: 'smtp; 550 5.1.1 no\u0000 such\u0007 \u202euser' }));
  expect(report?.event.reason).toBe('550 5.1.1 no such user');
});

test('a reason is one line and no longer than we keep', async () => {
  const report = await parse(bounceMail({ diagnostic: `smtp; 550 5.1.1 ${'very '.repeat(500)}gone` }));
  expect(report?.event.reason).toHaveLength(MAIL_REASON_CHARS_MAX);
});

test('of a report that is nothing but lines only so many are read, and it is understood by what comes first', async () => {
  const quoting = bounceMail({}).replace('\r\nHello\r\n', '\r\n'.repeat(REPORT_LINES_MAX));
  expect((await parse(quoting))?.event).toMatchObject({ kind: 'bounce', permanent: true });
  const later = bounceMail({}).replace('Action:', `${'x:\r\n'.repeat(REPORT_LINES_MAX)}Action:`);
  expect(await parse(later)).toBeUndefined();
});

test('a report of as many lines as fit into it takes no more time than its first lines', async () => {
  const first = await leastCpuTime('x:\n'.repeat(REPORT_LINES_MAX));
  const whole = await leastCpuTime('x:\n'.repeat(REPORT_BYTES_MAX / 3));
  // There are 22 times as many.
  expect(whole / first).toBeLessThan(4);
});

/** Of three, because something else may run meanwhile. Microseconds. */
async function leastCpuTime(fields: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage();
    await parse(bounceMail({}).replace('Action:', `${fields}Action:`));
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

function nested(depth: number): string {
  let text = bounceMail({});
  for (let level = 0; level < depth; level++)
    text = `Content-Type: multipart/mixed; boundary="x${level}"\r\n\r\n--x${level}\r\n${text}\r\n--x${level}--\r\n`;
  return text;
}
