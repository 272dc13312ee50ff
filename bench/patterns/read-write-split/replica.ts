/** Trouble for the replica, and for the line that leads there. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type QueryResultRow } from 'pg';
import { SQLSTATE, sqlState } from '../../../src/errors.ts';

/** Other tests and benches write to the same primary. */
const REPLICA_LEVEL_MS = 60_000;
const SETTING_TAKEN_MS = 10_000;
const POLL_MS = 20;

/** From the next commit on, the replica shows each one that much later. Resolves once it holds the first one back. */
export async function delayReplay(replicaAdminUrl: string, seconds: number): Promise<void> {
  await changeSetting(replicaAdminUrl, `alter system set recovery_min_apply_delay = '${seconds}s'`);
  await until('the replica holds a commit back', SETTING_TAKEN_MS, async () => {
    const waiting = "select from pg_stat_activity where backend_type = 'startup' and wait_event = 'RecoveryApplyDelay'";
    return (await rowsOf(replicaAdminUrl, waiting)).length > 0;
  });
}

/** Harmless where there is no delay: a run that was killed may have left one behind. */
export async function resetDelay(replicaAdminUrl: string): Promise<void> {
  await changeSetting(replicaAdminUrl, 'alter system reset recovery_min_apply_delay');
}

/** Resolves when the replica has replayed what the primary has written up to now. */
export async function replicaIsLevel(databaseAdminUrl: string, replicaAdminUrl: string): Promise<void> {
  const [now] = await rowsOf<{ position: string }>(databaseAdminUrl, 'select pg_current_wal_insert_lsn() as position');
  await until('the replica is level', REPLICA_LEVEL_MS, async () => {
    const replayed = `select pg_last_wal_replay_lsn() >= '${now?.position}' as level`;
    return (await rowsOf<{ level: boolean }>(replicaAdminUrl, replayed))[0]?.level === true;
  });
}

/** A line to the replica that can be cut: every connection ends, and no new one is accepted. */
export async function openReplicaLine(replicaUrl: string): Promise<{ url: string; cut(): Promise<void> }> {
  const url = new URL(replicaUrl);
  const [host, port] = [url.hostname, Number(url.port)];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    async cut() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function changeSetting(replicaAdminUrl: string, change: string): Promise<void> {
  await rowsOf(replicaAdminUrl, change);
  await rowsOf(replicaAdminUrl, 'select pg_reload_conf()');
}

async function rowsOf<Row extends QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A poll that recovery cancels, as it does while it catches up, counts as one that did not see it yet. */
async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  const cancelled = (error: unknown) => {
    if (sqlState(error) !== SQLSTATE.serializationFailure) throw error;
    return false;
  };
  while (!(await holds().catch(cancelled))) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
