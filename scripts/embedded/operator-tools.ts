/**
 * The programs that operators put around PostgreSQL, for the failover bench and the restore drill: from one folder with
 * a Debian that has them for PostgreSQL 18 (debian-root.ts), so that nothing is installed on this machine.
 */
import { type DebianRoot, openDebianRoot, whyNoDebianRoot } from './debian-root.ts';

const RELEASE = 'forky';
const PACKAGES = ['postgresql-18', 'patroni', 'python3-etcd', 'etcd-server', 'haproxy', 'pgbackrest'];

export const POSTGRES_BIN = '/usr/lib/postgresql/18/bin';

/** What is missing on this machine, and what to do about it; undefined when they can be had. */
export function whyNoOperatorTools(): string | undefined {
  const why = whyNoDebianRoot();
  return why && `PostgreSQL 18, Patroni, etcd, HAProxy and pgBackRest of Debian ${RELEASE} are fetched by apt: ${why}`;
}

/** Fetches them, once: about 150 MB. */
export function openOperatorTools(): Promise<DebianRoot> {
  return openDebianRoot('operator-tools', PACKAGES, RELEASE);
}
