/** What a step of a mix is (mixes.ts), and what all of them share. */
import type { CheckedAnswer, Owners } from './checks.ts';
import type { Client } from './client-memory.ts';
import type { FixedRequest } from './plan.ts';
import type { Random } from './random.ts';

/** A request, and what its answer leaves behind. */
export interface PlannedRequest extends FixedRequest {
  /** Sees right answers only. */
  readonly remember?: (answer: CheckedAnswer) => void;
  /** Acknowledged writes, for the history (history.ts). */
  readonly acknowledged?: (answer: CheckedAnswer) => object[];
}

export interface StepContext {
  readonly client: Client;
  readonly random: Random;
  readonly owners: Owners;
  /** Counts up: names that nobody else uses. */
  readonly unique: () => string;
}

export interface Step {
  /** The least that the account must be; `launch`: one whose organisation is small enough to write to everybody. */
  readonly needs: 'viewer' | 'admin' | 'launch' | 'password';
  request(context: StepContext): PlannedRequest;
}

export type Steps = Readonly<Record<string, Step>>;

export function authorized(client: Client, headers: Record<string, string> = {}): Record<string, string> {
  return {
    authorization: `Bearer ${client.token}`,
    ...(client.readAfter === undefined ? {} : { 'read-after': client.readAfter }),
    ...headers,
  };
}

export const JSON_TYPE = { 'content-type': 'application/json' };
