/** Every wait of the cluster, and Patroni's own clocks, which decide how long nobody can write. */

/** How long a leader that is gone keeps the lead, at most: Patroni allows no less than 20. */
export const LEAD_SECONDS = 20;
/** How often each node looks; several times within the lead. */
export const LOOK_SECONDS = 3;
/** How long a node tries to reach etcd or its PostgreSQL before it gives up the lead. */
export const RETRY_SECONDS = 3;

export const ETCD_READY_MS = 20_000;
export const PROXY_READY_MS = 10_000;
/** The second one copies the first; after a kill it recovers and is rewound. */
export const NODE_READY_MS = 120_000;
/** Patroni stops its PostgreSQL first. */
export const STOP_MS = 20_000;
export const POLL_MS = 100;
/** A replica that is further behind is never made leader without synchronous replication. */
export const BEHIND_BYTES_MAX = 1024 * 1024;
