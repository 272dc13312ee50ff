/** What a step of a mix is (workload.ts), and the requests that most steps are. */
import type { CheckArgs, CheckedAnswer, Owners } from './checks.ts';
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
  /** The least that the account must be; `small`: an admin whose organisation is small, for what reaches all of it; `operator`: somebody who runs the platform. */
  readonly needs: 'viewer' | 'admin' | 'small' | 'password' | 'operator';
  request(context: StepContext): PlannedRequest;
}

export type Steps = Readonly<Record<string, Step>>;

/** A step that only reads, at the path that its route says. */
export function read(route: string, check: string, args: (client: Client) => CheckArgs = () => ({})): Step {
  return {
    needs: 'viewer',
    request: ({ client }) => ({
      ...get(route, route.replace('GET ', ''), authorized(client)),
      check: { name: check, args: args(client) },
    }),
  };
}

export function get(route: string, path: string, headers: Record<string, string>): PlannedRequest {
  return { route, method: 'GET', path, headers, expect: [200] };
}

/** A write that answers with 200; `route` begins with its method. */
export function write(client: Client, route: string, path: string, body?: object): PlannedRequest {
  return {
    route,
    method: route.split(' ')[0] as FixedRequest['method'],
    path,
    headers: authorized(client, body === undefined ? {} : JSON_TYPE),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    expect: [200],
  };
}

export function authorized(client: Client, headers: Record<string, string> = {}): Record<string, string> {
  return {
    authorization: `Bearer ${client.token}`,
    ...(client.readAfter === undefined ? {} : { 'read-after': client.readAfter }),
    ...headers,
  };
}

export const JSON_TYPE = { 'content-type': 'application/json' };

export const idOf = (json: unknown) => (json as { id: number }).id;
