/** postgresql.conf of a lab server. */

export interface ServerSettings {
  readonly socketDirectory: string;
  readonly major: number;
  /** Off for throw-away servers: nothing is flushed to disk, and a crash of the machine may corrupt the data. */
  readonly durable: boolean;
  /** Further settings by name; they win. */
  readonly extra: Readonly<Record<string, string>>;
}

/**
 * What logical replication needs, with room for hundreds of tests or tenants; the rest is PostgreSQL's default.
 * `wal_level=logical` and `track_commit_timestamp` take effect at start only, so they stand from the beginning.
 */
export const serverSettings = (settings: ServerSettings): string => {
  const values: Record<string, string> = {
    // Nothing of a lab is reachable from another machine.
    listen_addresses: '127.0.0.1',
    unix_socket_directories: settings.socketDirectory,
    unix_socket_permissions: '0700',
    max_connections: '200',
    wal_level: 'logical',
    track_commit_timestamp: 'on',
    max_replication_slots: '40',
    max_wal_senders: '40',
    max_prepared_transactions: '20',
    max_worker_processes: '24',
    max_logical_replication_workers: '12',
    max_sync_workers_per_subscription: '4',
    // Shared memory in the data directory: nothing stays in /dev/shm after a kill -9, and a container's small /dev/shm is no limit.
    dynamic_shared_memory_type: 'mmap',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%a %d ',
    // Values of rows have no place in a log.
    log_parameter_max_length_on_error: '0',
    ...(settings.major >= 18 ? { max_active_replication_origins: '40' } : {}),
    ...(settings.durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...settings.extra,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('');
};
