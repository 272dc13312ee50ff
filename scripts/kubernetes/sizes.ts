/**
 * How large a deployment in Kubernetes is, by overlay. What follows from it (connections, limits of the pooler, the
 * targets of the autoscaler) is computed, from the same numbers that the processes themselves go by.
 */
import { connectionBudget } from '../../src/db/connection-budget.ts';
import { LAME_DUCK_MS_MAX, NANO_BYTES, REQUESTS_IN_FLIGHT_MAX, SOCKETS_MAX, STOP_MS } from '../../src/limits.ts';
import type { ListeningProcess } from '../../src/processes.ts';

export interface Size {
  readonly name: 'small' | 'large';
  /** The autoscaler's bounds. The mailer has no autoscaler: it is bound by the rate of the mail provider. */
  readonly instances: Readonly<Record<ListeningProcess, { readonly min: number; readonly max: number }>>;
  readonly postgres: {
    readonly instances: number;
    readonly memory: string;
    readonly sharedBuffers: string;
    readonly cpu: string;
    readonly storage: string;
    readonly maxConnections: number;
  };
  /** PgBouncer in front of PostgreSQL; undefined: the processes connect themselves. */
  readonly pooler: { readonly instances: number; readonly poolSize: number; readonly clients: number } | undefined;
}

/** Superusers, the operator's own sessions and its replicas. */
const SERVER_RESERVED = 10;
/** Connections of one PgBouncer for each CPU of PostgreSQL: more would only wait for one another. */
const POOL_PER_CPU = 4;

export const SIZES: readonly Size[] = [
  sized({
    name: 'small',
    instances: { api: { min: 2, max: 4 }, chat: { min: 2, max: 4 }, mailer: { min: 2, max: 2 } },
    postgres: { instances: 3, memory: '1Gi', sharedBuffers: '256MB', cpu: '1', storage: '20Gi' },
    poolers: 0,
  }),
  sized({
    name: 'large',
    instances: { api: { min: 6, max: 40 }, chat: { min: 4, max: 20 }, mailer: { min: 4, max: 4 } },
    postgres: { instances: 3, memory: '16Gi', sharedBuffers: '4GB', cpu: '4', storage: '500Gi' },
    poolers: 3,
  }),
];

/** Of each worker. Requests are the limits: what is promised is what is enforced. */
export const WORKER_MEMORY = `${NANO_BYTES / 1024 ** 2}Mi`;
export const WORKER_CPU: Readonly<Record<ListeningProcess, string>> = { api: '1', chat: '1', mailer: '500m' };

/** From the deletion of a pod until its address is out of every proxy. */
export const PRE_STOP_SECONDS = 5;
/** The pod still answers; /readyz says no. */
export const LAME_DUCK_MS = 5_000;
export const GRACE_SECONDS = PRE_STOP_SECONDS + (LAME_DUCK_MS + STOP_MS) / 1_000 + 5;
if (LAME_DUCK_MS > LAME_DUCK_MS_MAX) throw new Error('LAME_DUCK_MS is more than a process accepts');

/** An instance is added when the mean reaches a quarter of what one refuses at: a new one takes a minute to have its share. */
export const REQUESTS_PER_API = REQUESTS_IN_FLIGHT_MAX / 4;
export const SOCKETS_PER_CHAT = SOCKETS_MAX / 4;

function sized({
  poolers,
  postgres,
  ...size
}: Omit<Size, 'postgres' | 'pooler'> & { postgres: Omit<Size['postgres'], 'maxConnections'>; poolers: number }): Size {
  const clients = connectionsOf(size.instances);
  const poolSize = Number(postgres.cpu) * POOL_PER_CPU;
  const needed = poolers === 0 ? clients : poolers * poolSize;
  return {
    ...size,
    postgres: { ...postgres, maxConnections: Math.ceil((needed + SERVER_RESERVED) / 10) * 10 },
    // Any one of them takes all clients: the others may be away.
    pooler: poolers === 0 ? undefined : { instances: poolers, poolSize, clients: Math.ceil(clients / 100) * 100 },
  };
}

/** Of all processes, when the autoscaler is at its most, on the server that gets more. */
export function connectionsOf(instances: Size['instances']): number {
  const most = { all: 0, api: instances.api.max, chat: instances.chat.max, mailer: instances.mailer.max };
  return Math.max(...(['primary', 'replica'] as const).map((server) => connectionBudget(server, most, 0).needed));
}
