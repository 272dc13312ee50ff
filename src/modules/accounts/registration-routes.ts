import { Type } from 'typebox';
import type { App } from '../../http/app.ts';
import { closed, Email, Name } from '../../http/schemas.ts';
import { SIGN_INS_PER_MINUTE_MAX } from '../../limits.ts';
import { withoutTag } from '../../mail-address.ts';
import type { ApiContext } from '../faces.ts';
import { addressOf } from './accounts.ts';
import { LINK_TRIES_PER_MINUTE_MAX, LINKS_MS, LINKS_PER_ADDRESS_MAX } from './limits.ts';
import { confirmRegistration, readRegistration, requestRegistration } from './registrations.ts';
import { LinkToken, NewPassword, Welcomed } from './schemas.ts';
import { fromOf, turnOf, type WelcomeReply } from './welcome-reply.ts';

export function registrationRoutes(api: App, context: ApiContext, welcomed: WelcomeReply): void {
  const tags = ['accounts'];
  const { database } = context;
  const { secretKey } = context.config;
  const registrations = context.createRateLimit('registrations', SIGN_INS_PER_MINUTE_MAX);
  const ofAddress = context.createRateLimit('registrations of this address', LINKS_PER_ADDRESS_MAX, LINKS_MS);
  const links = context.createRateLimit('tries with registrations', LINK_TRIES_PER_MINUTE_MAX);

  api.post(
    '/registrations',
    {
      config: { public: true },
      schema: {
        operationId: 'requestRegistration',
        summary: 'Mail a link to register a new organisation',
        description:
          'Nothing exists before the link is used. The answer is the same, and takes as long, whether the address has an account or not: the mail says it. Asked again, the same link is mailed, and holds for as long as a new one.',
        tags,
        body: Type.Object({ email: Email }, closed),
        response: { 202: Type.Object({ email: Type.String({ description: 'the address as the mail has it' }) }) },
      },
    },
    async ({ caller, network, body }, reply) => {
      const email = addressOf(body.email);
      await registrations.count(network, reply);
      await ofAddress.count(withoutTag(email)); // not on the reply: what is left says how often others have asked
      await requestRegistration(caller, email);
      return reply.code(202).send({ email });
    },
  );

  api.post(
    '/registrations/preview',
    {
      config: { public: true, problems: ['gone'] },
      schema: {
        operationId: 'previewRegistration',
        summary: 'Which address a registration is for, given its link',
        description: 'A POST, so that the token is in no log.',
        tags,
        body: Type.Object({ token: LinkToken }, closed),
        response: { 200: Type.Object({ email: Type.String() }) },
      },
    },
    async ({ network, body }, reply) => {
      await links.count(network, reply);
      return readRegistration(database, secretKey, body.token);
    },
  );

  api.post(
    '/registrations/confirmations',
    {
      config: { public: true, problems: ['gone'] },
      schema: {
        operationId: 'confirmRegistration',
        summary: 'Register the organisation and its owner, with the link from the mail, and be signed in',
        tags,
        body: Type.Object({ token: LinkToken, organisation: Name, name: Name, password: NewPassword }, closed),
        response: { 201: Welcomed },
      },
    },
    async (request, reply) => {
      await links.count(request.network, reply);
      const parts = { ...context, secretKey };
      const { caller, body } = request;
      const welcome = await confirmRegistration(caller, parts, body, turnOf(request), fromOf(request));
      return welcomed(request, reply, welcome);
    },
  );
}
