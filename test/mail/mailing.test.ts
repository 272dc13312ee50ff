import { expect, test } from 'vitest';
import type { Throttle } from '../../src/flow/throttle.ts';
import { MAIL_QUOTA_WAIT, SMTP_CONNECTIONS_MAX } from '../../src/limits.ts';
import { createDomainPace } from '../../src/mail/domain-pace.ts';
import { createMailing } from '../../src/mail/mailing.ts';
import type { MailOutcome } from '../../src/mail/outcome.ts';
import type { Mail } from '../../src/mail/transport.ts';

const MAIL: Mail = {
  from: { name: '', address: 'us@mailing.test' },
  to: 'you@mailing.test',
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
  messageId: '<1@mailing.test>',
  headers: {},
};

function arrange(answer: () => Promise<MailOutcome> | MailOutcome) {
  const slowedTo: number[] = [];
  const throttle: Throttle = {
    pass: async (signal) => signal?.throwIfAborted(),
    slowDown: (taken) => void slowedTo.push(taken),
    perSecond: 10,
  };
  let asked = 0;
  const send = async () => {
    asked++;
    return answer();
  };
  return { mailing: createMailing({ send }, throttle), slowedTo, asked: () => asked };
}

const REFUSED: MailOutcome = { kind: 'held', about: 'sender', reason: '550 no' };

test('once the server has refused us, the other mails are held back without asking it', async () => {
  const { mailing, asked } = arrange(() => REFUSED);
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => mailing.send(MAIL)));
  expect(asked()).toBeLessThanOrEqual(SMTP_CONNECTIONS_MAX);
  expect(outcomes.every((outcome) => outcome.kind === 'held' && outcome.againInMs > 0)).toBe(true);
  expect(outcomes.filter((outcome) => outcome.kind === 'held' && outcome.asked)).toHaveLength(asked());
  expect(mailing.isHeld).toBe(true);
});

test('it knows how long the server takes over a mail, until the server takes none', async () => {
  const answers = Promise.withResolvers<MailOutcome>();
  const { mailing } = arrange(() => answers.promise);
  expect(mailing.answerSeconds).toBe(0);
  const sending = mailing.send(MAIL);
  await expect.poll(() => mailing.answerSeconds).toBeGreaterThan(0);
  answers.resolve(REFUSED);
  await sending;
  expect([mailing.isHeld, mailing.answerSeconds]).toEqual([true, 0]);
});

test('an answer that is about the recipient holds nobody else back', async () => {
  const { mailing, asked } = arrange(() => ({ kind: 'refused', about: 'recipient', reason: '550 5.1.1' }));
  await Promise.all(Array.from({ length: 50 }, () => mailing.send(MAIL)));
  expect(asked()).toBe(50);
});

test('a refusal because of the rate slows down once, to what the server has taken', async () => {
  let taken = 0;
  const { mailing, slowedTo } = arrange(() =>
    ++taken <= 14 ? { kind: 'sent' } : { kind: 'held', about: 'rate', reason: '454 too fast' },
  );
  await Promise.all(Array.from({ length: 50 }, () => mailing.send(MAIL)));
  expect(slowedTo).toEqual([14]);
});

test('mails that hang at one domain do not hold up those to another', async () => {
  const { promise, resolve } = Promise.withResolvers<MailOutcome>();
  const slowedTo: Throttle = { pass: async () => undefined, slowDown: () => undefined, perSecond: 10 };
  const send = (mail: Mail) => (mail.to.endsWith('@slow.test') ? promise : Promise.resolve({ kind: 'sent' } as const));
  const mailing = createMailing({ send }, slowedTo);
  const others = Array.from({ length: 5 }, () => mailing.send({ ...MAIL, to: 'you@fast.test' }));
  const hanging = Array.from({ length: 20 }, () => mailing.send({ ...MAIL, to: 'you@slow.test' }));
  const later = Array.from({ length: 5 }, () => mailing.send({ ...MAIL, to: 'you@fast.test' }));
  expect((await Promise.all([...others, ...later])).every(({ kind }) => kind === 'sent')).toBe(true);
  resolve({ kind: 'sent' });
  await Promise.all(hanging);
});

test('a mail that is withdrawn while it waits for its place is not handed over', async () => {
  const { promise, resolve } = Promise.withResolvers<MailOutcome>();
  const { mailing, asked } = arrange(() => promise);
  const withdraw = new AbortController();
  const outcomes = Array.from({ length: 50 }, () => mailing.send(MAIL, { withdraw: withdraw.signal }));
  await new Promise((tick) => setImmediate(tick));
  expect(mailing.inFlight).toBe(SMTP_CONNECTIONS_MAX);
  withdraw.abort();
  resolve({ kind: 'sent' });
  const kinds = (await Promise.all(outcomes)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'sent')).toHaveLength(SMTP_CONNECTIONS_MAX);
  expect(kinds.filter((kind) => kind === 'withdrawn')).toHaveLength(50 - SMTP_CONNECTIONS_MAX);
  expect(asked()).toBe(SMTP_CONNECTIONS_MAX);
});

test('when the quota of the day is used up, nobody asks again for a quarter of an hour, and the rate stays', async () => {
  const quota: MailOutcome = { kind: 'held', about: 'sender', reason: 'Daily quota exceeded', isQuota: true };
  const { mailing, slowedTo, asked } = arrange(() => quota);
  const first = await mailing.send(MAIL);
  expect(first).toMatchObject({ kind: 'held', asked: true });
  expect(first.kind === 'held' && first.againInMs).toBeGreaterThanOrEqual(MAIL_QUOTA_WAIT.min * 0.9);
  const next = await mailing.send(MAIL);
  expect(next).toMatchObject({ kind: 'held', asked: false });
  expect(asked()).toBe(1);
  expect(slowedTo).toEqual([]);
});

test('what is too much for one domain is put off without a place, and other domains go on', async () => {
  const sent: string[] = [];
  const send = async (mail: Mail) => {
    sent.push(mail.to);
    return { kind: 'sent' } as const;
  };
  const throttle: Throttle = { pass: async () => undefined, slowDown: () => undefined, perSecond: 10 };
  const mailing = createMailing({ send }, throttle, createDomainPace(10));
  const crowd = await Promise.all(Array.from({ length: 30 }, () => mailing.send({ ...MAIL, to: 'you@one.test' })));
  const putOff = crowd.filter(({ kind }) => kind === 'put off');
  expect(putOff.length).toBeGreaterThanOrEqual(25);
  expect(await mailing.send({ ...MAIL, to: 'you@other.test' })).toEqual({ kind: 'sent' });
  expect(sent).toHaveLength(30 - putOff.length + 1);
});
