/**
 * How many codes of the second factor are tried for one account within CODE_TRIES_MS, from all networks together.
 *
 * Whoever has the password can try CODE_TRIES_MAX, and would lock the owner out with them. So browsers in which the owner has
 * signed in, or has reset the password by mail, have as many of their own: all of them together, because whoever reads
 * the mailbox can make any number of browsers known. Tries with an old password do not count against the new one, which
 * gives a stranger nothing: they have to know that one too.
 *
 * A right code gives back its own try and nothing else, so what an attacker has used up stays so when the owner signs in.
 * That leaves CODE_TRIES_MAX wrong codes to whoever has the password alone, and as many again to whoever can sign in or reads the
 * mailbox, besides CODE_TRIES_MAX for each new password: LINKS_PER_ADDRESS_MAX by mail within the same time. Whoever is
 * signed in, and knows the password, can change it more often, and has no use for a code.
 */
import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../errors.ts';
import type { CreateRateLimit } from '../../http/rate-limit.ts';
import { CODE_TRIES_MAX, CODE_TRIES_MS } from './limits.ts';
import type { SignInGiven, SignInLimits } from './sign-in-limits.ts';

export interface CodeOwner {
  readonly org_id: number;
  readonly id: number;
  readonly email: string;
  readonly password_hash: string;
}

/** Whose code is tried, and what finds out whether it is right: by throwing `forbidden` if not. */
export type AsTry = <T>(owner: CodeOwner, judge: () => Promise<T>) => Promise<T>;

/** Makes what counts the tries of one request. It throws `rate_limited`. */
export type CodeTries = (from: Omit<SignInGiven, 'email'>, reply: FastifyReply) => AsTry;

export function createCodeTries(createRateLimit: CreateRateLimit, signIns: SignInLimits): CodeTries {
  const codes = createRateLimit('codes', CODE_TRIES_MAX, CODE_TRIES_MS);
  return (from, reply) => async (owner, judge) => {
    const { isKnownDevice } = signIns.origin({ ...from, email: owner.email });
    const whose = `${owner.org_id}/${owner.id} ${isKnownDevice ? 'known' : hash('sha256', owner.password_hash)}`;
    await codes.count(whose, reply);
    try {
      const judged = await judge();
      codes.refund(whose);
      return judged;
    } catch (error) {
      // Anything else is no judgement: the server was busy, or the request is answered as it was before.
      if (!(error instanceof AppError && error.code === 'forbidden')) codes.refund(whose);
      throw error;
    }
  };
}
