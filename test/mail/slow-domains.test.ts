import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  MAIL_DOMAIN_AHEAD_MS,
  MAIL_PATIENCE_MS,
  SMTP_CONNECTIONS_MAX,
  SMTP_LATE_CONNECTIONS_MAX,
  SMTP_SLOW_CONNECTIONS_MAX,
} from '../../src/limits.ts';
import { createMailing } from '../../src/mail/mailing.ts';
import { type Admission, createSlowDomains, type SlowDomains } from '../../src/mail/slow-domains.ts';
import { openTransport } from '../../src/mail/transport.ts';
import { until } from '../database.ts';
import { type SmtpScript, startScriptedSmtp } from '../smtp.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a domain that nobody knows has no place among the slow ones, and moves there when its mail takes long', async () => {
  const domains = createSlowDomains();
  const mail = admitted(domains, 'a.test');
  expect(mail.hasPlace).toBe(false);
  mail.begin();
  pass(MAIL_PATIENCE_MS.min + 1);
  await mail.moved;
  expect(domains.active).toBe(1);
  mail.leave();
  expect(domains.active).toBe(0);
});

test('where all slow places are taken, a mail that takes long is broken off and told when to come back', () => {
  const domains = createSlowDomains();
  fillSlowPlaces(domains);
  const late = admitted(domains, 'late.test');
  late.begin();
  pass(MAIL_PATIENCE_MS.min + 1);
  expect(late.breakOff.aborted).toBe(true);
  expect(late.againInMs()).toBeGreaterThanOrEqual(MAIL_PATIENCE_MS.min);
});

test('a slow domain has one place; the others to it come back one after the other, and none later than the bound', () => {
  const domains = createSlowDomains();
  const first = admitted(domains, 'slow.test');
  first.begin();
  pass(MAIL_PATIENCE_MS.min + 1);
  const waits = Array.from({ length: 1_000 }, () => refused(domains, 'slow.test'));
  expect(waits[1]).toBeGreaterThan(waits[0] as number);
  expect(new Set(waits.slice(0, 100)).size).toBe(100);
  expect(Math.max(...waits)).toBe(MAIL_DOMAIN_AHEAD_MS);
  first.leave();
  expect(admitted(domains, 'slow.test').hasPlace).toBe(true);
});

test('a mail that goes through in time makes a slow domain an ordinary one', () => {
  const domains = createSlowDomains();
  const slow = admitted(domains, 'a.test');
  const answered = slow.begin();
  pass(MAIL_PATIENCE_MS.min + 1);
  answered();
  slow.leave();
  const quick = admitted(domains, 'a.test');
  expect(quick.hasPlace).toBe(true);
  quick.begin()();
  quick.leave();
  expect(admitted(domains, 'a.test').hasPlace).toBe(false);
});

test('where the mail server itself takes long for every mail, no domain is blamed for it', () => {
  const domains = createSlowDomains();
  const first = admitted(domains, 'first.test');
  const answered = first.begin();
  pass(3 * MAIL_PATIENCE_MS.min);
  answered();
  first.leave();
  const others = Array.from({ length: 10 }, (_, nth) => admitted(domains, `${nth}.test`));
  for (const mail of others) mail.begin();
  pass(5 * MAIL_PATIENCE_MS.min);
  expect([domains.active, others.filter(({ breakOff }) => breakOff.aborted)]).toEqual([0, []]);
  pass(MAIL_PATIENCE_MS.max); // but patience has an end
  expect(domains.active).toBe(SMTP_SLOW_CONNECTIONS_MAX);
});

test.each(['rcptTo', 'data'] as const)(
  'any number of tarpits that never answer %s leave the connections to others',
  async (command) => {
    let stuck = 0;
    const { mailing } = await connect({
      [command](address: string) {
        if (!address.includes('@tarpit')) return undefined;
        stuck++;
        return new Promise(() => undefined);
      },
    });
    const withdraw = new AbortController();
    const slow = Array.from({ length: 5 * SMTP_CONNECTIONS_MAX }, async (_, nth) => {
      const { kind } = await mailing.send(mailTo(`you@tarpit-${nth}.test`), { giveUp: withdraw.signal });
      stuck--;
      return kind;
    });
    let sent: string | undefined;
    const quick = mailing.send(mailTo('you@quick.test')).then(({ kind }) => {
      sent = kind;
    });
    let rounds = 0;
    await until('the quick one is sent, although it was the last', () => {
      if (stuck === mailing.inFlight && stuck > SMTP_SLOW_CONNECTIONS_MAX && ++rounds) pass(MAIL_PATIENCE_MS.min);
      return sent !== undefined;
    });
    await quick;
    expect([sent, rounds]).toEqual(['sent', 5]);
    expect(mailing.inFlight).toBe(SMTP_SLOW_CONNECTIONS_MAX);
    // From here on all of them are known: nobody waits for one of them any more.
    expect(await mailing.send(mailTo('me@tarpit-7.test'))).toMatchObject({ kind: 'put off' });
    expect(await mailing.send(mailTo('me@quick.test'))).toEqual({ kind: 'sent' });
    withdraw.abort();
    const kinds = await Promise.all(slow);
    expect(kinds.filter((kind) => kind === 'put off')).toHaveLength(slow.length - SMTP_SLOW_CONNECTIONS_MAX);
  },
);

test('a mail that was refused while it was still being read is not waited for afterwards', () => {
  const domains = createSlowDomains();
  const refusedSoon = admitted(domains, 'refusing.test');
  refusedSoon.begin()();
  refusedSoon.leave();
  refusedSoon.handedOver();
  pass(MAIL_PATIENCE_MS.max);
  const quick = admitted(domains, 'quick.test');
  const answered = quick.begin();
  quick.handedOver();
  answered();
  expect(admitted(domains, 'refusing.test').hasPlace).toBe(false);
});

test('a mail that the server has whole is never broken off, so that it is not sent twice', async () => {
  const answer = Promise.withResolvers<string | undefined>();
  const { mailing, smtp } = await connect({ end: ({ to }) => (to.includes('@slow') ? answer.promise : undefined) });
  const slow = Array.from({ length: SMTP_CONNECTIONS_MAX }, (_, nth) => mailing.send(mailTo(`you@slow-${nth}.test`)));
  await until('the server has them', () => smtp.received.length === SMTP_CONNECTIONS_MAX);
  pass(MAIL_PATIENCE_MS.min);
  expect(await mailing.send(mailTo('you@quick.test'))).toEqual({ kind: 'sent' }); // some have moved
  answer.resolve(undefined);
  expect(new Set((await Promise.all(slow)).map(({ kind }) => kind))).toEqual(new Set(['sent']));
  expect(smtp.received).toHaveLength(SMTP_CONNECTIONS_MAX + 1);
});

test('domains whose servers answer only long after they have the mail leave the connections to others', async () => {
  const answers: (() => void)[] = [];
  const slow = SMTP_SLOW_CONNECTIONS_MAX + SMTP_LATE_CONNECTIONS_MAX;
  const { mailing, smtp } = await connect({
    end: ({ to }) =>
      to.includes('@slow') ? new Promise((resolve) => answers.push(() => resolve(undefined))) : undefined,
  });
  const late = Array.from({ length: slow }, (_, nth) => mailing.send(mailTo(`you@slow-${nth}.test`)));
  let sent: string | undefined;
  const quick = mailing.send(mailTo('you@quick.test')).then(({ kind }) => {
    sent = kind;
  });
  await until('the quick one is sent, although it was the last', () => {
    if (answers.length === mailing.inFlight && sent === undefined) pass(MAIL_PATIENCE_MS.min);
    return sent !== undefined;
  });
  await quick;
  expect([sent, answers.length]).toEqual(['sent', slow]);
  // From here on they are known: another mail to one of them takes no place, and one to others goes through.
  pass(MAIL_PATIENCE_MS.min);
  expect(await mailing.send(mailTo('me@slow-3.test'))).toMatchObject({ kind: 'put off' });
  expect(await mailing.send(mailTo('me@quick.test'))).toEqual({ kind: 'sent' });
  for (const answer of answers) answer();
  expect(new Set((await Promise.all(late)).map(({ kind }) => kind))).toEqual(new Set(['sent']));
  expect(smtp.received).toHaveLength(slow + 2);
});

test('where the server takes long to answer every mail, none is put off, and each is sent once', async () => {
  const answers: (() => void)[] = [];
  const { mailing, smtp } = await connect({
    end: () => new Promise((resolve) => answers.push(() => resolve(undefined))),
  });
  const mails = Array.from({ length: 6 * SMTP_CONNECTIONS_MAX }, (_, nth) => mailing.send(mailTo(`${nth}@one.test`)));
  const outcomes = Promise.all(mails).then((all) => new Set(all.map(({ kind }) => kind)));
  const isOver = () => {
    if (answers.length > 0 && answers.length === mailing.inFlight) {
      pass(2 * MAIL_PATIENCE_MS.max);
      for (const answer of answers.splice(0)) answer();
    }
    return smtp.received.length === mails.length && answers.length === 0;
  };
  await until('all are answered', isOver, mails.length * 2 * MAIL_PATIENCE_MS.max);
  expect(await outcomes).toEqual(new Set(['sent']));
  expect(smtp.received).toHaveLength(mails.length);
  const after = mailing.send(mailTo('last@one.test'));
  await until('it is with the server', () => answers.length === 1);
  answers[0]?.();
  expect(await after).toEqual({ kind: 'sent' });
});

async function connect(script: SmtpScript) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const smtp = await startScriptedSmtp(script);
  const transport = openTransport(smtp.url);
  onTestFinished(async () => {
    transport.close();
    await smtp.close();
  });
  const throttle = { pass: async () => undefined, slowDown: () => undefined, perSecond: 1_000 };
  return { mailing: createMailing(transport, throttle), smtp };
}

function fillSlowPlaces(domains: SlowDomains): void {
  for (let nth = 0; nth < SMTP_SLOW_CONNECTIONS_MAX; nth++) admitted(domains, `${nth}.test`).begin();
  pass(MAIL_PATIENCE_MS.min + 1);
  expect(domains.active).toBe(SMTP_SLOW_CONNECTIONS_MAX);
}

function admitted(domains: SlowDomains, domain: string): Admission {
  const admission = domains.enter(domain);
  if (!('leave' in admission)) throw new Error(`${domain} was told to come back`);
  return admission;
}

function refused(domains: SlowDomains, domain: string): number {
  const admission = domains.enter(domain);
  if ('leave' in admission) throw new Error(`${domain} was admitted`);
  return admission.againInMs;
}

function pass(ms: number): void {
  vi.advanceTimersByTime(ms);
}

function mailTo(to: string) {
  return {
    from: { name: '', address: 'us@mailing.test' },
    to,
    subject: 'Hello',
    text: 'Hello',
    html: '<p>Hello</p>',
    messageId: `<${to}>`,
    headers: {},
  };
}
