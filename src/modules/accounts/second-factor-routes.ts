import { Type } from 'typebox';
import type { App } from '../../http/app.ts';
import { closed, nullable, Time } from '../../http/schemas.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { CODE_TRIES_MAX, CODE_TRIES_MS } from './limits.ts';
import { Code, GivenPassword } from './schemas.ts';
import { beginSetUp, confirmSetUp, removeSecondFactor, secondFactorStatus } from './second-factor.ts';
import { turnOf } from './welcome-reply.ts';

export function secondFactorRoutes(api: App, context: ApiContext): void {
  const tags = ['accounts'];
  const tries = context.createRateLimit('tries', CODE_TRIES_MAX, CODE_TRIES_MS);
  const { secretKey } = context.config;

  api.get(
    '/second-factor',
    {
      config: { scope: 'none' },
      schema: {
        operationId: 'getSecondFactor',
        summary: 'Whether signing in needs a code, too',
        tags,
        response: { 200: Type.Object({ since: nullable(Time), recoveryCodesLeft: Type.Integer() }) },
      },
    },
    async (request) => secondFactorStatus(context.database, actorOf(request)),
  );

  api.post(
    '/second-factor',
    {
      config: { scope: 'none', forbids: 'a password that is wrong' },
      schema: {
        operationId: 'setUpSecondFactor',
        summary: 'A secret for an authenticator app',
        description: 'Nothing changes until a first code confirms that the app has it.',
        tags,
        body: Type.Object({ password: GivenPassword }, closed),
        response: {
          201: Type.Object({
            secret: Type.String({ description: 'base32, for typing' }),
            uri: Type.String({ description: 'otpauth:, for an app on the same device' }),
            qrCode: Type.String({ description: 'the same as a picture: a data: address' }),
          }),
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      await tries.count(`${actor.orgId}/${actor.userId}`, reply);
      const turn = { ...turnOf(request), key: `user ${actor.userId}` };
      const parts = { ...context, db: request.db, secretKey };
      return reply.code(201).send(await beginSetUp(parts, actor, request.body.password, turn));
    },
  );

  api.post(
    '/second-factor/confirmation',
    {
      config: { scope: 'none', forbids: 'a code that is wrong or was used before' },
      schema: {
        operationId: 'confirmSecondFactor',
        summary: 'From now on, signing in needs a code',
        description: 'The answer is the only one that has the recovery codes.',
        tags,
        body: Type.Object({ code: Code }, closed),
        response: { 200: Type.Object({ recoveryCodes: Type.Array(Type.String()) }) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      await tries.count(`${actor.orgId}/${actor.userId}`, reply);
      const parts = { ...context, db: request.db, secretKey };
      const recoveryCodes = await confirmSetUp(parts, actor, request.body.code);
      tries.refund(`${actor.orgId}/${actor.userId}`); // a right code is no guess
      return { recoveryCodes };
    },
  );

  api.post(
    '/second-factor/removal',
    {
      config: { scope: 'none', problems: ['not_found'], forbids: 'a password or a code that is wrong' },
      schema: {
        operationId: 'removeSecondFactor',
        summary: 'Signing in needs no code any more',
        tags,
        body: Type.Object({ password: GivenPassword, code: Code }, closed),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      await tries.count(`${actor.orgId}/${actor.userId}`, reply);
      const turn = { ...turnOf(request), key: `user ${actor.userId}` };
      const parts = { ...context, db: request.db, secretKey };
      await removeSecondFactor(parts, actor, request.body, turn);
      tries.refund(`${actor.orgId}/${actor.userId}`);
      return reply.code(204).send(null);
    },
  );
}
