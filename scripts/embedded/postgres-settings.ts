/**
 * PostgreSQL for a machine of 512 MB that it shares with everything else.
 *
 * The file is written afresh before each start, so it always says what this version of the project means.
 * A replica refuses to run with less than its primary of `max_connections`, `max_worker_processes`,
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
  ['listen_addresses', '127.0.0.1', 'nobody outside this machine'],
  ['port', port, 'chosen at each start'],
  ['unix_socket_directories', '', 'no socket file: its path would be too long below a deep folder'],
];

const NANO: Setting[] = [
  [
    'max_connections',
    40,
    'the pools of api, mailer and chat, a migration and a person looking; each one may cost several MB',
  ],
  ['superuser_reserved_connections', 3, 'the person looking gets in when the pools have taken all the rest'],
  ['shared_buffers', '32MB', 'the hot pages; the rest is the page cache, which the kernel can take back'],
  ['effective_cache_size', '128MB', 'what the page cache may hold: a hint to the planner, no memory'],
  ['work_mem', '2MB', 'per sort or hash, not per connection: 40 connections can use it at once'],
  ['maintenance_work_mem', '16MB', 'an index build or a vacuum spills to disk above it'],
  ['autovacuum_work_mem', '16MB', 'as above, for the vacuum that runs by itself'],
  ['autovacuum_max_workers', 1, 'one vacuum at a time: two vCPU'],
  ['autovacuum_worker_slots', 2, 'the default keeps room for 16'],
  ['max_worker_processes', 4, 'the default keeps room for 8'],
  ['max_parallel_workers', 0, 'no query may take both vCPU'],
  ['max_parallel_workers_per_gather', 0, 'as above'],
  ['max_parallel_maintenance_workers', 0, 'as above'],
  ['max_logical_replication_workers', 0, 'replication is physical; this saves a process'],
  ['io_method', 'sync', 'the default starts three I/O worker processes'],
  ['jit', 'off', 'compiling costs more memory and time than our short queries ever win back'],
  ['huge_pages', 'off', 'none are set aside on a small machine'],
  ['wal_buffers', '1MB', 'commits are small'],
  ['min_wal_size', '32MB', 'two segments kept for reuse'],
  ['max_wal_size', '256MB', 'disk, and the time that a crash recovery takes'],
  ['checkpoint_timeout', '15min', 'fewer full-page writes; max_wal_size bounds it anyway'],
  ['wal_level', 'replica', 'the replica streams'],
  ['max_wal_senders', 4, 'one replica, one spare, and room while one of them reconnects'],
  ['max_replication_slots', 4, 'one per replica'],
  ['max_slot_wal_keep_size', '256MB', 'a replica that stays away is rebuilt; it must not fill the disk of the primary'],
  ['hot_standby', 'on', 'the replica answers reads'],
  [
    'hot_standby_feedback',
    'off',
    'a slow reader there must not hold back vacuum here; a cancelled read is retried on the primary',
  ],
  ['max_standby_streaming_delay', '5s', 'how long a slow reader may hold back what the replica shows'],
  ['wal_receiver_status_interval', '1s', 'lag that the operations page shows is no older than this'],
  ['wal_retrieve_retry_interval', '500ms', 'the replica is back soon after its primary is; the default waits 5 s'],
  ['password_encryption', 'scram-sha-256', 'passwords are not kept'],
  ['timezone', 'UTC', 'days are cut in the code, not by the machine'],
  ['log_timezone', 'UTC', 'as above'],
  ['log_destination', 'stderr', 'to the log file that the stack keeps'],
  ['log_line_prefix', '%m [%p] %q%u@%d %a ', 'when, which process, whose connection'],
  ['deadlock_timeout', '200ms', 'how long a deadlock that slips through the order of locks stands; the default is 1 s'],
  ['log_lock_waits', 'on', 'a wait longer than deadlock_timeout is worth a line'],
  ['log_min_duration_statement', '500ms', 'a query slower than this is worth a line'],
  ['log_checkpoints', 'off', 'routine'],
];

const replicaSettings = ({ port, user, password, slot }: ReplicationSource): Setting[] => [
  [
    'primary_conninfo',
    `host=127.0.0.1 port=${port} user=${user} password=${password} application_name=${slot}`,
    'the port changes between starts',
  ],
  ['primary_slot_name', slot, 'the primary keeps what this replica has not read, up to max_slot_wal_keep_size'],
];

const NOT_DURABLE: Setting[] = [
  ['fsync', 'off', 'tests only: a power cut would lose everything, and nobody would mind'],
  ['full_page_writes', 'off', 'as above'],
];

function quote(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
