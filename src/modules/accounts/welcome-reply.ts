import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { SESSION_COOKIE } from '../../http/authentication.ts';
import { DEVICE_MS, SESSION_MS } from '../../limits.ts';
import type { From, Welcome } from './accounts.ts';
import { DEVICE_COOKIE, type SignInLimits } from './sign-in-limits.ts';

/** Answers with the session, and gives it to the browser as a cookie. */
export type WelcomeReply = (request: FastifyRequest, reply: FastifyReply, welcome: Welcome) => Welcome;

export function createWelcomeReply(config: Pick<Config, 'apiUrl'>, signIns: SignInLimits): WelcomeReply {
  const cookie = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: config.apiUrl.startsWith('https:'),
    maxAge: SESSION_MS / 1000,
  } as const;
  return (request, reply, welcome) => {
    const device = signIns.remember(request.cookies[DEVICE_COOKIE], welcome.user.email);
    reply.code(201).setCookie(SESSION_COOKIE, welcome.token, cookie);
    // Sent to no other route: it grants nothing, but it says which browser this is.
    reply.setCookie(DEVICE_COOKIE, device, { ...cookie, path: '/api/v1/sessions', maxAge: DEVICE_MS / 1000 });
    return welcome;
  };
}

export function fromOf({ network, headers }: FastifyRequest): From {
  return { network, device: headers['user-agent'] };
}

/** A stranger's place in the queue of password hashes. */
export function turnOf(request: FastifyRequest) {
  return { key: request.network, isGone: () => request.raw.socket.destroyed };
}
