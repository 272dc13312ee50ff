import { createHash } from 'node:crypto';
import type { MailError } from '../../../src/mail/outcome.ts';
import { createRandom } from '../../load/random.ts';
import type { PatternCase } from '../pattern.ts';

/** `held` waits like `again`, but is no try of the recipient. */
export type Verdict = 'failed' | 'again' | 'held';
type Twin = { judge(error: MailError, tries: number): Verdict };
type Input = { readonly badDay: boolean };

const RECIPIENTS = 10_000;
const GONE = 40;
const SEED = 11;
/** Each is the answer for an hour of the bad day, in which every recipient is asked once. */
const BAD_DAY: readonly (readonly [command: string, response: string])[] = [
  ['DATA', '454 4.7.0 Throttling failure: Maximum sending rate exceeded.'],
  ['RCPT TO', '421 4.3.2 Service not available, closing transmission channel'],
  ['MAIL FROM', '451 4.3.0 Temporary server error'],
  ['RCPT TO', '452 4.3.1 Insufficient system storage'],
  ['DATA', '454 4.7.0 Temporary authentication failure'],
  ['MAIL FROM', '550 5.7.60 client is not allowed to send as this sender'],
];

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/mail/outcome.ts',
  withoutIt: 'a quota, a throttle or a missing login marks every recipient as failed for good',
  asks: `${RECIPIENTS} recipients, ${GONE} of whom do not exist, on a day on which the server refuses for reasons of its own.`,
  breaks: 'recipients who exist have failed',
  holds: `all get their mail but the ${GONE} who do not exist`,
  headline: ({ lost = 0 }) => `${lost.toLocaleString('en')} recipients given up wrongly`,
  small: { badDay: false },
  full: { badDay: true },

  async perform({ judge }, { badDay }) {
    const gone = pickGone();
    const tries = new Map<number, number>();
    const [sent, failed]: [Set<number>, Set<number>] = [new Set(), new Set()];
    const begun = performance.now();
    const rounds = [...(badDay ? BAD_DAY : []), undefined];
    for (const refusal of rounds) {
      for (let recipient = 0; recipient < RECIPIENTS; recipient++) {
        if (sent.has(recipient) || failed.has(recipient)) continue;
        const error = refusal === undefined ? answerTo(recipient, gone) : answer(...refusal);
        if (error === undefined) {
          sent.add(recipient);
          continue;
        }
        const tried = (tries.get(recipient) ?? 0) + 1;
        const verdict = judge(error, tried);
        if (verdict === 'failed') failed.add(recipient);
        if (verdict === 'again') tries.set(recipient, tried);
      }
    }
    const seconds = (performance.now() - begun) / 1_000;
    const digest = createHash('sha256')
      .update(JSON.stringify([...failed].toSorted((a, b) => a - b)))
      .digest('hex');
    const lost = [...failed].filter((recipient) => !gone.has(recipient)).length;
    return { digest, figures: { sent: sent.size, failed: failed.size, lost, seconds } };
  },

  isBroken: ({ figures }) => (figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.sent === RECIPIENTS - GONE && figures.failed === GONE && figures.lost === 0,
};

function pickGone(): Set<number> {
  const random = createRandom(SEED);
  const gone = new Set<number>();
  while (gone.size < GONE) gone.add(random.below(RECIPIENTS));
  return gone;
}

function answerTo(recipient: number, gone: ReadonlySet<number>): MailError | undefined {
  return gone.has(recipient) ? answer('RCPT TO', '550 5.1.1 No such user') : undefined;
}

function answer(command: string, response: string): MailError {
  const responseCode = Number(response.slice(0, 3));
  return { message: response, code: 'EENVELOPE', command, responseCode, response };
}
