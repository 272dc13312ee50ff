/**
 * How many sign-ins are tried. Per minute by one network or device for one account, whatever their outcome. In a longer
 * window, by failures: of one network for all accounts, and for one account from all networks, so that no number of
 * addresses guesses a password. The last one would let a stranger lock a person out, so a device that has signed in to
 * the account before, or has just reset its password by mail, has a budget of its own (OWASP: device cookies). Addresses without an account count like others:
 * the answers do not tell which have one.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { CreateRateLimit, RateLimit } from '../../http/rate-limit.ts';
import {
  DEVICE_ACCOUNTS_MAX,
  FAILED_SIGN_INS_MS,
  FAILED_SIGN_INS_PER_ACCOUNT_MAX,
  FAILED_SIGN_INS_PER_NETWORK_MAX,
  SIGN_INS_PER_MINUTE_MAX,
} from '../../limits.ts';
import { parseAddress } from '../../mail-address.ts';

export const DEVICE_COOKIE = 'tardigrade_device';

export interface SignInGiven {
  readonly network: string;
  readonly device: string | undefined;
  readonly email: string;
}

export interface SignInAttempt {
  /** Nothing was wrong with it: it does not count. */
  succeeded(): void;
  /** Nobody looked at the password, because the server was busy: it does not count. */
  notJudged(): void;
}

export interface SignInLimits {
  /** Who shares a budget with it, and whether the account has been signed in to from this device before. */
  origin(given: SignInGiven): { readonly key: string; readonly isKnownDevice: boolean };
  /** Counts the attempt as failed until told otherwise, so that attempts at the same time count too. Throws `rate_limited`. */
  begin(given: SignInGiven, reply?: FastifyReply): Promise<SignInAttempt>;
  /** The device's cookie after a sign-in to the account. */
  remember(device: string | undefined, email: string): string;
}

export function createSignInLimits(secretKey: string, createRateLimit: CreateRateLimit): SignInLimits {
  const attempts = createRateLimit('sign-ins', SIGN_INS_PER_MINUTE_MAX);
  const ofNetwork = createRateLimit(
    'failed sign-ins from this network',
    FAILED_SIGN_INS_PER_NETWORK_MAX,
    FAILED_SIGN_INS_MS,
  );
  const ofAccount = createRateLimit(
    'failed sign-ins to this account',
    FAILED_SIGN_INS_PER_ACCOUNT_MAX,
    FAILED_SIGN_INS_MS,
  );

  /** The cookie is the device's random name and a tag for each of its accounts, the latest first. It names no account. */
  const tagOf = (name: string, email: string) =>
    createHmac('sha256', secretKey).update(`device\0${name}\0${email}`).digest('base64url').slice(0, NAME_CHARS);

  function isKnownDevice(device: string | undefined, email: string): boolean {
    const { name, tags } = parse(device);
    if (name === undefined) return false;
    const expected = Buffer.from(tagOf(name, mailboxOf(email)));
    return tags.some((tag) => timingSafeEqual(Buffer.from(tag), expected));
  }

  const originOf: SignInLimits['origin'] = ({ network, device, email }) =>
    isKnownDevice(device, email)
      ? { key: `device ${parse(device).name}`, isKnownDevice: true }
      : { key: network, isKnownDevice: false };

  return {
    origin: originOf,
    async begin(given, reply) {
      const origin = originOf(given);
      const { network } = given;
      const email = mailboxOf(given.email);
      const key = `${origin.key} ${email}`;
      const failures = origin.isKnownDevice
        ? ([[ofAccount, key]] as const)
        : ([
            [ofNetwork, network],
            [ofAccount, email],
          ] as const);
      const counted: (readonly [RateLimit, string])[] = [];
      const takeBack = () => {
        for (const [limit, whose] of counted) limit.refund(whose);
      };
      await attempts.count(key, reply);
      try {
        for (const [limit, whose] of failures) {
          await limit.count(whose);
          counted.push([limit, whose]);
        }
      } catch (error) {
        takeBack(); // what one limit refuses does not count for the others
        throw error;
      }
      return {
        notJudged() {
          attempts.refund(key);
          takeBack();
        },
        succeeded() {
          attempts.forget(key);
          takeBack();
        },
      };
    },
    remember(device, given) {
      const email = mailboxOf(given);
      const { name = randomBytes(16).toString('base64url'), tags } = parse(device);
      const own = tagOf(name, email);
      return [name, own, ...tags.filter((tag) => tag !== own)].slice(0, 1 + DEVICE_ACCOUNTS_MAX).join('.');
    },
  };
}

/** Its one spelling: the letters of a domain alone can be written in thousands of ways. */
function mailboxOf(email: string): string {
  const parsed = parseAddress(email);
  return 'fault' in parsed ? email.toLowerCase() : parsed.address;
}

const NAME_CHARS = 22; // 128 bits in base64url
const COOKIE = new RegExp(`^[\\w-]{${NAME_CHARS}}(?:\\.[\\w-]{${NAME_CHARS}}){1,${DEVICE_ACCOUNTS_MAX}}$`);

function parse(device: string | undefined): { name: string | undefined; tags: string[] } {
  if (device === undefined || !COOKIE.test(device)) return { name: undefined, tags: [] };
  const [name, ...tags] = device.split('.');
  return { name, tags };
}
