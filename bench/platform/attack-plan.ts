/** What the generator of attack.ts is told to do: plain data, because it crosses to another process. */
import type { Account, ModulePlan } from '../load/plan.ts';
import type { LoadFigures } from '../types.ts';

export const ATTACK = 'platform:attack';

/** Each is described in attacks.ts. */
export const ATTACKS = [
  'dribbled headers',
  'dripping bodies',
  'drips where nobody is known',
  'drips of a customer',
  'sign-ins at once',
  'brackets',
  'unread exports',
  'exports by HEAD',
  'a byte a second',
  'pipelined requests',
  'bodies that are never sent',
  'tiny chunks',
  'many headers',
  'half-closed sockets',
] as const;

export type AttackName = (typeof ATTACKS)[number];

export interface AttackPlan extends ModulePlan<AttackFigures> {
  readonly kind: typeof ATTACK;
  /** Of the api, http:. */
  readonly url: string;
  readonly attack: AttackName;
  /** Customers of the service, whose sessions the attackers have. */
  readonly accounts: readonly Account[];
  /** Paths of files that are streamed. */
  readonly exports: readonly string[];
  /** Of the pauses between the connections of a socket. */
  readonly seed: number;
  /** It ends when it is stopped, and after this at the latest. */
  readonly seconds: number;
}

export interface AttackFigures extends LoadFigures {
  /** Sockets that were connected, those that came again included. */
  readonly connections: number;
  /** Open at the same time, at most. */
  readonly openMax: number;
  readonly bytesSent: number;
  readonly bytesRead: number;
  /** Answers by status, of those that were read. */
  readonly answers: Readonly<Record<string, number>>;
}
