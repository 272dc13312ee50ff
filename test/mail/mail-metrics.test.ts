import { expect, test } from 'vitest';
import type { Mailing, SendOutcome } from '../../src/mail/mailing.ts';
import type { Mail } from '../../src/mail/transport.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { countMails } from '../../workers/parts/mail-metrics.ts';

const MAIL = { to: 'you@counted.test' } as Mail;

function arrange() {
  const outcomes: SendOutcome[] = [];
  const mailing: Mailing = {
    send: async () => outcomes.shift() as SendOutcome,
    inFlight: 3,
    perSecond: 12.34,
    isHeld: true,
    answerSeconds: 1.2345,
  };
  const metrics = createMetrics('test');
  const counted = countMails(mailing, metrics);
  return {
    async sendAll(...more: SendOutcome[]) {
      outcomes.push(...more);
      for (const _ of more) await counted.send(MAIL);
    },
    counted,
    metrics,
  };
}

test('each mail is counted by what became of it, and one that the server was not asked about is not', async () => {
  const { sendAll, metrics } = arrange();
  const held = { kind: 'held', reason: 'no', againInMs: 1 } as const;
  await sendAll(
    { kind: 'sent' },
    { kind: 'sent' },
    { kind: 'refused', about: 'recipient', reason: 'no' },
    { kind: 'refused', about: 'mail', reason: 'no' },
    { kind: 'deferred', about: 'recipient', reason: 'busy' },
    { ...held, about: 'rate', asked: true },
    { ...held, about: 'sender', asked: false },
    { kind: 'unanswered', after: 'break', reason: 'gone' },
    { kind: 'put off', againInMs: 5 },
    { kind: 'withdrawn' },
  );
  const text = await metrics.text();
  const count = (name: string) =>
    Number(new RegExp(`^tardigrade_mails_${name}_total\\{[^}]*\\} (\\d+)`, 'm').exec(text)?.[1]);
  expect(count('sent')).toBe(2);
  for (const name of ['refused_recipient', 'refused_mail', 'deferred', 'held_rate', 'unanswered'])
    expect([name, count(name)]).toEqual([name, 1]);
  expect(count('held_sender')).toBe(0);
});

test('the counted mailing is the mailing itself', () => {
  const { counted, metrics } = arrange();
  expect([counted.inFlight, counted.perSecond, counted.isHeld, counted.answerSeconds]).toEqual([
    3,
    12.34,
    true,
    1.2345,
  ]);
  expect(metrics.report().gauges).toMatchObject({
    ...{ mails_in_flight: 3, mails_per_second_max: 12.3, mails_held: 1 },
    mail_answer_seconds: 1.235,
  });
});
