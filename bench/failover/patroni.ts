/** Patroni's settings: those that all nodes share live in etcd, each node's own in a file. */
import { stringify } from 'yaml';
import { POSTGRES_BIN } from '../../scripts/embedded/operator-tools.ts';
import { ADMIN_ROLE, REPLICATION_ROLE } from '../../scripts/embedded/postgres-roles.ts';
import { serverSettings } from '../../scripts/embedded/postgres-settings.ts';
import type { Secrets } from '../../scripts/embedded/secrets.ts';
import { BEHIND_BYTES_MAX, LEAD_SECONDS, LOOK_SECONDS, RETRY_SECONDS } from './limits.ts';

export type NodeName = 'primary' | 'replica';

export interface NodePorts {
  readonly postgres: number;
  readonly rest: number;
}

/** Patroni sets these itself. */
const ITS_OWN = new Set(['port', 'listen_addresses', 'hot_standby', 'wal_level']);

export function sharedSettings(synchronous: boolean): object {
  return {
    ttl: LEAD_SECONDS,
    loop_wait: LOOK_SECONDS,
    retry_timeout: RETRY_SECONDS,
    maximum_lag_on_failover: BEHIND_BYTES_MAX,
    synchronous_mode: synchronous,
    postgresql: { use_pg_rewind: true, use_slots: true, parameters: parameters() },
  };
}

export interface NodeOptions {
  readonly node: NodeName;
  readonly etcd: number;
  readonly ports: NodePorts;
  readonly dataFolder: string;
  readonly secrets: Secrets;
}

/** A YAML file. The passwords are in it, as they are on a real node: readable by its account alone. */
export function nodeSettings({ node, etcd, ports, dataFolder, secrets }: NodeOptions): string {
  const superuser = { username: ADMIN_ROLE, password: secrets.adminPassword };
  return stringify({
    scope: 'tardigrade',
    name: node,
    restapi: { listen: `127.0.0.1:${ports.rest}`, connect_address: `127.0.0.1:${ports.rest}` },
    etcd3: { hosts: [`127.0.0.1:${etcd}`] },
    postgresql: {
      listen: `127.0.0.1:${ports.postgres}`,
      connect_address: `127.0.0.1:${ports.postgres}`,
      data_dir: dataFolder,
      bin_dir: POSTGRES_BIN,
      pgpass: `${dataFolder}.pgpass`,
      authentication: {
        superuser,
        rewind: superuser,
        replication: { username: REPLICATION_ROLE, password: secrets.replicationPassword },
      },
      parameters: parameters(),
      pg_hba: ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256'],
      basebackup: { checkpoint: 'fast' },
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
    },
  });
}

/** Those of every nano. */
function parameters(): Record<string, string | number> {
  const settings = serverSettings(0, true).filter(([name]) => !ITS_OWN.has(name));
  // The seeded data was made without them, and Patroni keeps what a data folder says; pg_rewind needs them as well.
  return { ...Object.fromEntries(settings.map(([name, value]) => [name, value])), fsync: 'on', full_page_writes: 'on' };
}
