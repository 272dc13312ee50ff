/**
 * Settings for PostgreSQL on a machine with 512 MB that it shares with everything else.
 *
 * The file is rewritten before each start, so it always matches this version of the project.
 * A replica refuses to start with lower values than its primary's for `max_connections`, `max_worker_processes`,
 * `max_wal_senders`, `max_prepared_transactions` and `max_locks_per_transaction`: both get the same.
 */

export type Setting = readonly [name: string, value: string | number, reason: string];

export type ReplicationSource = { port: number; user: string; password: string; slot: string };

/** The settings of one server, in the order of the file. */
export function serverSettings(port: number, durable: boolean, source?: ReplicationSource): Setting[] {
  return [
    ...addressSettings(port),
    ...NANO,
    ...(source === undefined ? [] : replicaSettings(source)),
    ...(durable ? [] : NOT_DURABLE),
  ];
}

export function settingsFile(settings: Setting[]): string {
  const lines = settings.map(([name, value, reason]) => `# ${reason}\n${name} = ${quote(value)}\n`);
  return `# Written before each start by scripts/embedded/postgres-settings.ts; changes made here are lost.\n\n${lines.join('\n')}`;
}

/** Who may connect, and how: this machine, with a password. */
export const HBA_FILE = `# Written before each start; see scripts/embedded/postgres-settings.ts.
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`;

const addressSettings = (port: number): Setting[] => [
  ['listen_addresses', '127.0.0.1', 'only this machine can connect'],
  ['port', port, 'chosen at each start'],
  ['unix_socket_directories', '', 'no socket file: in a deep folder its path would be too long'],
];

const NANO: Setting[] = [
  [
    'max_connections',
    40,
    'the pools of api, mailer and chat, a migration and an administrator; each connection can cost several MB',
  ],
  ['superuser_reserved_connections', 3, 'an administrator can still connect when the pools use all the others'],
  ['shared_buffers', '32MB', 'the hot pages; the rest is in the page cache, which the kernel can reclaim'],
  ['effective_cache_size', '128MB', 'the expected size of the page cache: a hint for the planner, not an allocation'],
  ['work_mem', '2MB', 'per sort or hash, not per connection: 40 connections can use it at once'],
  ['maintenance_work_mem', '16MB', 'beyond it an index build spills to disk, and a vacuum needs more passes'],
  ['autovacuum_work_mem', '16MB', 'as above, for autovacuum'],
  ['autovacuum_max_workers', 1, 'one vacuum at a time, because there are only two vCPU'],
  ['autovacuum_worker_slots', 2, 'the default keeps room for 16'],
  ['max_worker_processes', 4, 'the default keeps room for 8'],
  ['max_parallel_workers', 0, 'no query can take both vCPU'],
  ['max_parallel_workers_per_gather', 0, 'as above'],
  ['max_parallel_maintenance_workers', 0, 'as above'],
  ['max_logical_replication_workers', 0, 'replication is physical; this saves a process'],
  ['io_method', 'sync', 'the default starts three I/O worker processes'],
  ['jit', 'off', 'compiling costs more memory and time than it saves in our short queries'],
  ['huge_pages', 'off', 'a small machine has none reserved'],
  ['wal_buffers', '1MB', 'commits are small'],
  ['min_wal_size', '32MB', 'two segments kept for reuse'],
  ['max_wal_size', '256MB', 'limits disk space and the time that a crash recovery takes'],
  ['checkpoint_timeout', '15min', 'fewer full-page writes; max_wal_size bounds it anyway'],
  ['wal_level', 'replica', 'the replica streams'],
  ['max_wal_senders', 4, 'one replica, one spare, and room while one of them reconnects'],
  ['max_replication_slots', 4, 'one per replica'],
  ['max_slot_wal_keep_size', '256MB', "a replica that stays away is rebuilt; it must not fill the primary's disk"],
  ['hot_standby', 'on', 'the replica serves reads'],
  [
    'hot_standby_feedback',
    'off',
    'slow reads on the replica must not hold back vacuum on the primary; a cancelled read is retried there',
  ],
  ['max_standby_streaming_delay', '5s', 'how long a slow read can delay replay on the replica'],
  ['wal_receiver_status_interval', '1s', 'the lag on the operations page is at most this old'],
  ['wal_retrieve_retry_interval', '500ms', 'the replica reconnects soon after its primary is back; the default is 5 s'],
  ['password_encryption', 'scram-sha-256', 'passwords are stored only as hashes'],
  ['timezone', 'UTC', "the code decides where a day begins, not the machine's time zone"],
  ['log_timezone', 'UTC', 'as above'],
  ['log_destination', 'stderr', "goes to the stack's log file"],
  ['log_line_prefix', '%m [%p] %q%u@%d %a ', 'when, which process, whose connection'],
  ['deadlock_timeout', '200ms', 'how long a deadlock lasts that the lock order does not prevent; the default is 1 s'],
  ['log_lock_waits', 'on', 'a wait longer than deadlock_timeout is worth logging'],
  ['log_min_duration_statement', '500ms', 'a query slower than this is worth logging'],
  ['log_checkpoints', 'off', 'routine'],
];

const replicaSettings = ({ port, user, password, slot }: ReplicationSource): Setting[] => [
  [
    'primary_conninfo',
    `host=127.0.0.1 port=${port} user=${user} password=${password} application_name=${slot}`,
    'the port changes between starts',
  ],
  ['primary_slot_name', slot, 'the primary keeps the WAL that this replica has not read, up to max_slot_wal_keep_size'],
];

const NOT_DURABLE: Setting[] = [
  ['fsync', 'off', 'tests only: a power cut would lose everything, which does not matter there'],
  ['full_page_writes', 'off', 'as above'],
];

function quote(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
