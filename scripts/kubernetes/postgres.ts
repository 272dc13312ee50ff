import { IDLE_IN_TRANSACTION_MS, LOCK_MS, STATEMENT_MS } from '../../src/limits.ts';
import type { Size } from './sizes.ts';
import { labels } from './workers.ts';

/**
 * The part of CloudNativePG's resources that is used here. Its published schema is not on npm; `npm run check` holds the
 * manifests against these types, and test/scripts/kubernetes.test.ts what is said about them.
 */
interface Cluster {
  readonly apiVersion: 'postgresql.cnpg.io/v1';
  readonly kind: 'Cluster';
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: {
    readonly instances: number;
    readonly imageName: string;
    readonly primaryUpdateStrategy: 'unsupervised' | 'supervised';
    readonly postgresql: {
      readonly parameters: Readonly<Record<string, string>>;
      readonly synchronous: {
        readonly method: 'any' | 'first';
        readonly number: number;
        readonly dataDurability: 'required' | 'preferred';
      };
    };
    readonly bootstrap: {
      readonly initdb: {
        readonly database: string;
        readonly owner: string;
        readonly encoding: string;
        readonly localeProvider: string;
        readonly builtinLocale: string;
        readonly localeCollate: string;
        readonly localeCType: string;
        readonly postInitApplicationSQL: readonly string[];
      };
    };
    readonly managed: { readonly roles: readonly ManagedRole[] };
    readonly storage: { readonly size: string };
    readonly walStorage: { readonly size: string };
    readonly resources: Record<'requests' | 'limits', Record<'memory' | 'cpu', string>>;
    readonly affinity: {
      readonly enablePodAntiAffinity: boolean;
      readonly topologyKey: string;
      readonly podAntiAffinityType: string;
    };
  };
}

interface ManagedRole {
  readonly name: string;
  readonly ensure: 'present';
  readonly login: boolean;
  readonly inherit: boolean;
  readonly inRoles?: readonly string[];
  readonly passwordSecret?: { readonly name: string };
}

interface Pooler {
  readonly apiVersion: 'postgresql.cnpg.io/v1';
  readonly kind: 'Pooler';
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: {
    readonly cluster: { readonly name: string };
    readonly instances: number;
    readonly type: 'rw' | 'ro';
    readonly pgbouncer: { readonly poolMode: 'transaction'; readonly parameters: Readonly<Record<string, string>> };
  };
}

const DATABASE = 'tardigrade';
const OWNER_ROLE = 'tardigrade';
const WAL_STORAGE = '10Gi';
const SLOT_KEEPS = '4GB'; // of WAL_STORAGE, for a replica that is away

/**
 * Run once, as superuser, when the database has been made: the roles that migrations expect. They are not left to the
 * operator's managed roles, which come some time after the cluster is ready (the migration does not wait for them), and
 * which cannot say that one membership of a role that inherits nothing is inherited.
 */
const ROLES: readonly string[] = [
  `grant pg_monitor to ${OWNER_ROLE}`,
  'create role tardigrade_tenant nologin',
  'create role tardigrade_system nologin in role pg_read_all_stats',
  'create role tardigrade_worker login noinherit in role tardigrade_tenant, tardigrade_system',
  // It asks a replica for its timeline before it takes any other role.
  'grant pg_read_all_stats to tardigrade_worker with inherit true',
];

/** Where the processes connect to, by what they ask for. */
export function databaseHosts({ pooler }: Size): { DATABASE_HOST: string; DATABASE_REPLICA_HOST: string } {
  return pooler === undefined
    ? { DATABASE_HOST: 'postgres-rw', DATABASE_REPLICA_HOST: 'postgres-ro' }
    : { DATABASE_HOST: 'pooler-rw', DATABASE_REPLICA_HOST: 'pooler-ro' };
}

export function postgresObjects(size: Size): object[] {
  const poolers = size.pooler === undefined ? [] : [pooler(size, 'rw'), pooler(size, 'ro')];
  return [cluster(size), ...poolers];
}

function cluster({ postgres }: Size): Cluster {
  const resources = { memory: postgres.memory, cpu: postgres.cpu };
  return {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Cluster',
    metadata: { name: 'postgres', labels: labels('postgres') },
    spec: {
      instances: postgres.instances,
      imageName: 'ghcr.io/cloudnative-pg/postgresql:18',
      primaryUpdateStrategy: 'unsupervised',
      postgresql: {
        parameters: {
          max_connections: String(postgres.maxConnections),
          shared_buffers: postgres.sharedBuffers,
          max_slot_wal_keep_size: SLOT_KEEPS,
          jit: 'off',
          log_min_duration_statement: '500ms',
          // PgBouncer takes no such settings from a client, so the server has them: the api's, for everybody.
          statement_timeout: `${STATEMENT_MS.mailer}ms`,
          lock_timeout: `${LOCK_MS}ms`,
          idle_in_transaction_session_timeout: `${IDLE_IN_TRANSACTION_MS}ms`,
        },
        // A commit is acknowledged when one replica has it: a failover to that one loses nothing. With one of two replicas
        // away writes go on; with both away they wait.
        synchronous: { method: 'any', number: 1, dataDurability: 'required' },
      },
      bootstrap: {
        initdb: {
          database: DATABASE,
          owner: OWNER_ROLE,
          encoding: 'UTF8',
          localeProvider: 'builtin',
          builtinLocale: 'C.UTF-8',
          localeCollate: 'C',
          localeCType: 'C',
          postInitApplicationSQL: ROLES,
        },
      },
      // From then on the operator keeps its password what the secret says, and its memberships these.
      managed: {
        roles: [
          {
            name: 'tardigrade_worker',
            ensure: 'present',
            login: true,
            inherit: false,
            inRoles: ['tardigrade_tenant', 'tardigrade_system', 'pg_read_all_stats'],
            passwordSecret: { name: 'postgres-worker' },
          },
        ],
      },
      storage: { size: postgres.storage },
      walStorage: { size: WAL_STORAGE },
      resources: { requests: resources, limits: resources },
      affinity: { enablePodAntiAffinity: true, topologyKey: 'kubernetes.io/hostname', podAntiAffinityType: 'required' },
    },
  };
}

function pooler({ pooler: sizes }: Size, type: 'rw' | 'ro'): Pooler {
  if (sizes === undefined) throw new Error('This size has no pooler');
  return {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Pooler',
    metadata: { name: `pooler-${type}`, labels: labels(`pooler-${type}`) },
    spec: {
      cluster: { name: 'postgres' },
      instances: sizes.instances,
      type,
      pgbouncer: {
        poolMode: 'transaction',
        parameters: {
          default_pool_size: String(sizes.poolSize),
          max_client_conn: String(sizes.clients),
          max_prepared_statements: '200',
          ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
        },
      },
    },
  };
}
