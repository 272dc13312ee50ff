import { Type } from 'typebox';
import type { App } from '../../http/app.ts';
import { closed, Email } from '../../http/schemas.ts';
import { SIGN_INS_PER_MINUTE_MAX } from '../../limits.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { addressOf } from './accounts.ts';
import {
  LINK_TRIES_PER_MINUTE_MAX,
  LINKS_MS,
  LINKS_PER_ADDRESS_MAX,
  PASSWORD_TRIES_MAX,
  PASSWORD_TRIES_MS,
} from './limits.ts';
import { requestPasswordReset, resetPassword } from './password-reset.ts';
import { changePassword } from './passwords.ts';
import { GivenPassword, LinkToken, NewPassword } from './schemas.ts';
import { fromOf, type RememberDevice, turnOf } from './welcome-reply.ts';

export function passwordRoutes(api: App, context: ApiContext, rememberDevice: RememberDevice): void {
  const tags = ['accounts'];
  const { secretKey } = context.config;
  const changes = context.createRateLimit('tries to change the password', PASSWORD_TRIES_MAX, PASSWORD_TRIES_MS);
  const resets = context.createRateLimit('password resets from this network', SIGN_INS_PER_MINUTE_MAX);
  const resetsOfAddress = context.createRateLimit('password resets of this address', LINKS_PER_ADDRESS_MAX, LINKS_MS);
  const links = context.createRateLimit('tries with links', LINK_TRIES_PER_MINUTE_MAX);

  api.put(
    '/password',
    {
      config: { scope: 'none', forbids: 'a current password that is wrong' },
      schema: {
        operationId: 'changePassword',
        summary: 'Change your password',
        description: 'Ends your other sessions.',
        tags,
        body: Type.Object({ current: GivenPassword, password: NewPassword }, closed),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      await changes.count(`${actor.orgId}/${actor.userId}`, reply);
      await changePassword({ ...context, db: request.db }, actor, request.body, {
        ...turnOf(request),
        key: `user ${actor.userId}`,
      });
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/password-resets',
    {
      config: { public: true },
      schema: {
        operationId: 'requestPasswordReset',
        summary: 'Mail a link to reset a forgotten password',
        description: 'The answer is the same, and takes as long, whether the address has an account or not.',
        tags,
        body: Type.Object({ email: Email }, closed),
        response: { 204: Type.Null() },
      },
    },
    async ({ caller, network, body }, reply) => {
      const email = addressOf(body.email);
      await resets.count(network, reply);
      await resetsOfAddress.count(email); // not on the reply: what is left says how often others have asked
      await requestPasswordReset(caller, email, network);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/password-resets/confirmations',
    {
      config: { public: true, problems: ['gone'] },
      schema: {
        operationId: 'resetPassword',
        summary: 'Choose a new password, with the link from the mail',
        description:
          'Ends all sessions of the account. The link works once. The browser may then sign in even while strangers have used up the failed sign-ins to the account.',
        tags,
        body: Type.Object({ token: LinkToken, password: NewPassword }, closed),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await links.count(request.network, reply);
      const parts = { ...context, secretKey };
      const email = await resetPassword(request.caller, parts, request.body, turnOf(request), fromOf(request));
      rememberDevice(request, reply, email);
      return reply.code(204).send(null);
    },
  );
}
