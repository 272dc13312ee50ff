import type { Mailing, SendOutcome } from '../../src/mail/mailing.ts';
import type { Metrics } from '../../src/process/metrics.ts';

/** For /metrics and the operations page: how fast mails go out, why they do not, and what became of each. */
export function countMails(mail: Mailing, metrics: Metrics): Mailing {
  metrics.gauge('mails_in_flight', 'Mails being handed over', () => mail.inFlight);
  metrics.gauge(
    'mails_per_second_max',
    'Mails that all mailers together may send',
    () => Math.round(mail.perSecond * 10) / 10,
  );
  metrics.gauge(
    'mail_answer_seconds',
    'How long the mail server takes over a mail',
    () => Math.round(mail.answerSeconds * 1_000) / 1_000,
  );
  metrics.gauge('mails_held', '1 while the mail server takes no mail from us', () => Number(mail.isHeld));
  const counters = Object.fromEntries(
    Object.entries(COUNTED).map(([name, help]) => [name, metrics.counter(`mails_${name}`, help)]),
  );
  const seconds = createSeconds();
  metrics.gauge('mails_per_second', `Mails accepted by the mail server, over the last ${SECONDS} s`, seconds.mean);
  return {
    async send(mail_, options) {
      const outcome = await mail.send(mail_, options);
      const name = nameOf(outcome);
      if (name !== undefined) counters[name]?.inc();
      if (name === 'sent') seconds.count();
      return outcome;
    },
    get inFlight() {
      return mail.inFlight;
    },
    get perSecond() {
      return mail.perSecond;
    },
    get isHeld() {
      return mail.isHeld;
    },
    get answerSeconds() {
      return mail.answerSeconds;
    },
  };
}

const COUNTED = {
  sent: 'Mails that the server took',
  refused_recipient: 'Mails whose mailbox is refused for good',
  refused_mail: 'Mails that are refused for good because of what they are',
  deferred: 'Mails whose mailbox is refused for now',
  held_sender: 'Refusals because of our address, login, quota or reputation',
  held_server: 'Refusals because the server is away or cannot take mail',
  held_rate: 'Refusals because we are too fast',
  unanswered: 'Mails that the server has and did not answer',
} as const;

/** Undefined for mails that the server was never asked about. */
function nameOf(outcome: SendOutcome): keyof typeof COUNTED | undefined {
  switch (outcome.kind) {
    case 'refused':
      return outcome.about === 'recipient' ? 'refused_recipient' : 'refused_mail';
    case 'held':
      return outcome.asked ? `held_${outcome.about}` : undefined;
    case 'put off':
    case 'withdrawn':
      return undefined;
    case 'sent':
    case 'deferred':
    case 'unanswered':
      return outcome.kind;
  }
}

const SECONDS = 10;

/** The mean of the last SECONDS whole seconds. */
function createSeconds() {
  const counts = new Map<number, number>();
  const now = () => Math.floor(performance.now() / 1_000);
  const forget = () => {
    for (const second of counts.keys()) if (second < now() - SECONDS) counts.delete(second);
  };
  return {
    count() {
      forget();
      counts.set(now(), (counts.get(now()) ?? 0) + 1);
    },
    mean() {
      forget();
      let total = 0;
      for (const [second, count] of counts) if (second < now()) total += count;
      return Math.round((total / SECONDS) * 10) / 10;
    },
  };
}
