import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { SESSION_COOKIE } from '../../http/authentication.ts';
import { DEVICE_MS, SESSION_MS } from '../../limits.ts';
import type { From, Welcome } from './accounts.ts';
import { DEVICE_COOKIE, type SignInLimits } from './sign-in-limits.ts';

/** Answers with the session, and gives it to the browser as a cookie. */
export type WelcomeReply = (request: FastifyRequest, reply: FastifyReply, welcome: Welcome) => Welcome;

export function createWelcomeReply(config: Pick<Config, 'apiUrl'>, signIns: SignInLimits): WelcomeReply {
  const rememberDevice = createRememberDevice(config, signIns);
  return (request, reply, welcome) => {
    const lives = { path: '/', maxAge: SESSION_MS / 1000 };
    reply.code(201).setCookie(SESSION_COOKIE, welcome.token, { ...cookieOf(config), ...lives });
    rememberDevice(request, reply, welcome.user.email);
    return welcome;
  };
}

/** Somebody with this browser has proved that the account is theirs. */
export type RememberDevice = (request: FastifyRequest, reply: FastifyReply, email: string) => void;

export function createRememberDevice(config: Pick<Config, 'apiUrl'>, signIns: SignInLimits): RememberDevice {
  return (request, reply, email) => {
    const device = signIns.remember(request.cookies[DEVICE_COOKIE], email);
    // Sent to every route by which somebody can come in: one that does not see it would forget the browser's other accounts.
    const lives = { path: '/', maxAge: DEVICE_MS / 1000 };
    reply.setCookie(DEVICE_COOKIE, device, { ...cookieOf(config), ...lives });
  };
}

function cookieOf({ apiUrl }: Pick<Config, 'apiUrl'>) {
  return { httpOnly: true, sameSite: 'lax', secure: apiUrl.startsWith('https:') } as const;
}

export function fromOf({ network, headers }: FastifyRequest): From {
  return { network, device: headers['user-agent'] };
}

/** A stranger's place in the queue of password hashes. */
export function turnOf(request: FastifyRequest) {
  return { key: request.network, isGone: () => request.raw.socket.destroyed };
}
