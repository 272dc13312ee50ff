import { Type } from 'typebox';
import { CLOCK_CHANGE_RULE } from '../../dates.ts';
import type { App } from '../../http/app.ts';
import { closed, IdParams, Time } from '../../http/schemas.ts';
import { TIME_CHARS_MAX, TIME_ZONE_CHARS_MAX } from '../../limits.ts';
import { whoIs } from '../accounts/accounts.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { cancelCampaign, launchCampaign, pauseCampaign, resumeCampaign, scheduleCampaign } from './campaigns.ts';
import { launchTimesOf } from './launch-times.ts';
import { SCHEDULE_CRON_CHARS_MAX, SLOT_DISTANCE_MS_MIN, SLOTS_PREVIEWED, TEST_MAILS_PER_MINUTE_MAX } from './limits.ts';
import { Campaign, tagged } from './schemas.ts';
import { requestTestMail } from './test-mail.ts';

const Schedule = Type.Object(
  {
    at: Type.Optional(
      Type.String({
        maxLength: TIME_CHARS_MAX,
        description: `launches once; ISO 8601, like 2027-01-31T09:00:00+01:00. Without an offset it is wall time in timeZone. ${CLOCK_CHANGE_RULE}`,
      }),
    ),
    cron: Type.Optional(
      Type.String({
        maxLength: SCHEDULE_CRON_CHARS_MAX,
        description: `five fields, in timeZone (UTC without one); every matching time sends a copy. At least ${SLOT_DISTANCE_MS_MIN / 60_000} minutes between two of them. A single time that a clock change skips launches when the clock has moved on; one that comes twice launches once`,
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        maxLength: TIME_ZONE_CHARS_MAX,
        description: 'a name of the IANA database, for example Europe/Berlin',
      }),
    ),
  },
  { ...closed, examples: [{ cron: '0 9 * * 1', timeZone: 'Europe/Berlin' }] },
);

/** Sending a campaign: as a test, now, later, and not any more. */
export function launchRoutes(api: App, { database, createRateLimit }: ApiContext): void {
  const tags = ['campaigns'];
  const testMails = createRateLimit('test mails', TEST_MAILS_PER_MINUTE_MAX);

  api.post(
    '/campaigns/:id/test',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send the mail of a campaign to yourself, marked as a test',
        description: 'Its links open a preview of the questions, in which nothing is stored.',
        tags,
        params: IdParams,
        response: { 202: Type.Object({ to: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { db, user, params } = request;
      const key = `${user.orgId}/${user.userId}`;
      await testMails.count(key, reply);
      try {
        const { user: person } = await whoIs(database, user.orgId, user.userId);
        return reply.code(202).send({ to: await requestTestMail(db, actorOf(request), params.id, person.email) });
      } catch (error) {
        testMails.refund(key); // nothing is sent
        throw error;
      }
    },
  );

  api.post(
    '/campaigns/:id/launch',
    {
      config: { role: 'admin', settles: true },
      schema: {
        summary: 'Send a campaign now',
        tags,
        params: IdParams,
        response: { 202: Campaign },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return tagged(reply, await launchCampaign(request.db, actorOf(request), request.params.id));
    },
  );

  api.post(
    '/campaigns/:id/schedule',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send a campaign later, once or repeatedly',
        tags,
        params: IdParams,
        body: Schedule,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => {
      const { db, params, body } = request;
      return tagged(reply, await scheduleCampaign(db, actorOf(request), params.id, body));
    },
  );

  api.post(
    '/campaigns/schedule-preview',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'When a schedule would launch, before it is saved',
        description: `Refuses what scheduling a campaign refuses, in the same words. Otherwise: the next ${SLOTS_PREVIEWED} launches.`,
        tags,
        body: Schedule,
        response: { 200: Type.Object({ next: Type.Array(Time), timeZone: Type.String() }) },
      },
    },
    async ({ body }) => {
      const { next, timeZone } = launchTimesOf(body);
      return { next: next.map((launch) => launch.toISOString()), timeZone };
    },
  );

  api.post(
    '/campaigns/:id/cancel',
    {
      config: { role: 'admin', settles: true },
      schema: {
        summary: 'Cancel a campaign: mails that are not sent yet are not sent',
        tags,
        params: IdParams,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => tagged(reply, await cancelCampaign(request.db, actorOf(request), request.params.id)),
  );

  api.post(
    '/campaigns/:id/pause',
    {
      config: { role: 'admin', settles: true },
      schema: {
        summary: 'Pause a campaign that is being sent',
        tags,
        params: IdParams,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => tagged(reply, await pauseCampaign(request.db, actorOf(request), request.params.id)),
  );

  api.post(
    '/campaigns/:id/resume',
    {
      config: { role: 'admin', settles: true },
      schema: { summary: 'Resume a paused campaign', tags, params: IdParams, response: { 200: Campaign } },
    },
    async (request, reply) => tagged(reply, await resumeCampaign(request.db, actorOf(request), request.params.id)),
  );
}
