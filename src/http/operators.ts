/**
 * What it is: those who run the platform, by the addresses in OPERATORS. What is about all organisations together, such as
 *   the operations page, is for them alone.
 * What fails without it: an admin of any customer sees the hosts, queues, deaths and sizes that all customers share, and
 *   from them how large and how busy the others are.
 * How it works: a route says `operator: true` in its config, where others name a role. An operator is somebody who is
 *   signed in, and whose account has one of these addresses. Nobody has an account with an address whose mailbox they do
 *   not read: it exists once a mailed link was followed. When the account is removed, its sessions end. An API key is
 *   never an operator: it lies in files, and programs have /metrics.
 * What it costs: a comparison with each address, on these routes and in GET /api/v1/me. The list is read at the start.
 * Its bound: OPERATORS_MAX addresses. A process learns within SESSION_CACHE_MS that a session has ended.
 * Its proof: test/http/operators.test.ts, test/http/matrix.test.ts.
 */
import { AppError } from '../errors.ts';
import type { SignedIn } from './app.ts';

export function isOperator({ address }: SignedIn, operators: readonly string[]): boolean {
  return address !== undefined && operators.includes(address);
}

/** Throws `forbidden`. */
export function refuseOthers(user: SignedIn, operators: readonly string[]): void {
  if (!isOperator(user, operators)) throw new AppError('forbidden', OPERATORS_ONLY);
}

const OPERATORS_ONLY =
  'This is about the whole platform, so it is for those who run it. If you do: put your address in OPERATORS and restart the api.';
