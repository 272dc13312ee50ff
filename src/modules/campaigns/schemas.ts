import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import { etagOf } from '../../http/optimistic-concurrency.ts';
import { Id, nullable, Time } from '../../http/schemas.ts';
import type { Campaign as StoredCampaign } from './queries.ts';

export const AnswerKind = Type.Union([Type.Literal('text'), Type.Literal('scale')], {
  description: 'text: in words; scale: a tap from 1 (low) to 5 (high), which means the same in every language',
});
export const Questions = Type.Array(Type.Object({ text: Type.String(), answer: AnswerKind }));

export const Campaign = Type.Object({
  id: Id,
  name: Type.String(),
  subject: Type.String(),
  body: Type.String(),
  questions: Questions,
  status: Type.String({ description: 'draft, scheduled, sending, paused, done or cancelled' }),
  launchAt: nullable(Time),
  cron: nullable(Type.String()),
  timeZone: Type.String(),
  parentId: nullable(Id),
  launchedAt: nullable(Time),
  finishedAt: nullable(Time),
  createdAt: Time,
  version: Type.Integer({ description: 'counts what people do to it; in quotes, it is the ETag' }),
  pausedBecause: nullable(
    Type.Object({
      about: Type.String({
        description:
          'why no mail goes out: `person` (somebody paused it), `sender` (the mail server refuses our address, login or quota), `server` (it is away or takes no mail), `rate` (we are too fast for it)',
      }),
      reason: nullable(Type.String({ description: 'the words of the mail server' })),
      since: nullable(Time),
      nextTryAt: nullable({ ...Time, description: 'it goes on by itself; null: only a person resumes it' }),
    }),
  ),
  progress: Type.Object({
    recipients: Type.Integer(),
    sent: Type.Integer(),
    failed: Type.Integer(),
    skipped: Type.Integer({ description: 'unsubscribed, or suppressed' }),
    suppressed: Type.Integer({ description: 'of the skipped ones: the address must not be sent mail' }),
    complaints: Type.Integer({ description: 'readers who marked the mail as spam' }),
    possiblyTwice: Type.Integer({ description: 'mails whose process died while sending: each may have arrived twice' }),
    opened: Type.Integer(),
    finished: Type.Integer(),
    answers: Type.Integer(),
    perSecond: nullable(Type.Number({ description: 'emails a second, of late; null unless it is being sent' })),
    secondsLeft: nullable(Type.Integer({ description: 'at this rate, until it is done' })),
  }),
});

/** With what a change of it sends back. */
export function tagged(reply: FastifyReply, campaign: StoredCampaign): StoredCampaign {
  reply.header('etag', etagOf(campaign.version));
  return campaign;
}

export function noSuchCampaign(): AppError {
  return new AppError('not_found', 'This campaign does not exist.');
}
