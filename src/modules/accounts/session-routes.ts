import { Type } from 'typebox';
import type { App } from '../../http/app.ts';
import { Id, IdParams, Time } from '../../http/schemas.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { sessionsOf } from './session-queries.ts';
import { endOtherSessions, endSession } from './user-sessions.ts';

const Session = Type.Object({
  id: Id,
  device: Type.String({ description: 'what the client said that it is: its User-Agent' }),
  network: Type.String(),
  createdAt: Time,
  lastUsedAt: Type.String({ description: 'exact to five minutes' }),
  current: Type.Boolean({ description: 'the session of this request' }),
});

export function sessionRoutes(api: App, { sessions, database }: ApiContext): void {
  const tags = ['accounts'];

  api.get(
    '/sessions',
    {
      config: { scope: 'none' },
      schema: {
        operationId: 'listSessions',
        summary: 'Your sessions, the latest first',
        tags,
        response: { 200: Type.Object({ sessions: Type.Array(Session) }) },
      },
    },
    async ({ user }) => {
      // From the primary: one that was ended a moment ago, perhaps elsewhere, must not be in it.
      const found = await sessionsOf(database.primary(user.orgId), user.orgId, user.userId);
      return { sessions: found.map((session) => ({ ...session, current: session.id === user.sessionId })) };
    },
  );

  api.delete(
    '/sessions/others',
    {
      config: { scope: 'none' },
      schema: {
        operationId: 'endOtherSessions',
        summary: 'End all your sessions but this one',
        tags,
        response: { 200: Type.Object({ ended: Type.Integer() }) },
      },
    },
    async (request) => ({ ended: await endOtherSessions({ db: request.db, sessions }, actorOf(request)) }),
  );

  api.delete(
    '/sessions/:id',
    {
      config: { scope: 'none' },
      schema: {
        operationId: 'endSession',
        summary: 'End one of your sessions',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await endSession({ db: request.db, sessions }, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
