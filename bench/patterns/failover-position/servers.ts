/** Servers of the lesson's own: a promotion cannot be taken back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { choosePort } from '../../../scripts/embedded/ports.ts';
import { createPrimary, createReplica, type Postgres } from '../../../scripts/embedded/postgres.ts';
import { loadSecrets } from '../../../scripts/embedded/secrets.ts';
import { runSql } from '../scratch-database.ts';
import { SCHEMA } from './documents.ts';

export type Pair = { readonly primaryUrl: string; readonly replicaUrl: string };

/** More log than the new primary writes in the lesson, and than its switch to a new segment skips. */
const SURPLUS_ROWS = 600_000;
const LEVEL_MS = 30_000;
const POLL_MS = 20;

/** A primary and the replica that follows it, or, after a failover, the new primary and a replica of the old one. */
export async function startServers(documents: number, failover: boolean): Promise<Pair & { stop(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'failover-position-'));
  const base = { folder, secrets: loadSecrets(folder), durable: false };
  const running: Postgres[] = [];
  const start = async (server: Promise<Postgres>) => {
    running.push(await server);
    return server;
  };
  const port = () => choosePort('primary', 'any');
  const primary = await start(createPrimary({ ...base, port: await port() }));
  const replica = await start(createReplica({ ...base, port: await port(), primary }));
  await runSql(primary.url, SCHEMA);
  await runSql(primary.url, `insert into documents select n, 'Draft' from generate_series(1, ${documents}) n`);
  let writer = primary;
  if (failover) {
    writer = await start(createReplica({ ...base, port: await port(), primary, name: 'promoted' }));
    await runSql(writer.adminUrl, 'select pg_promote()');
    await runSql(primary.url, `create table surplus as select n from generate_series(1, ${SURPLUS_ROWS}) n`);
  }
  await untilLevel(primary, replica);
  return {
    primaryUrl: writer.workerUrl,
    replicaUrl: replica.workerUrl,
    async stop() {
      for (const server of running.toReversed()) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A statement that fails until the replica has it. */
async function untilLevel(primary: Postgres, replica: Postgres): Promise<void> {
  await runSql(primary.url, 'create table level ()');
  const deadline = performance.now() + LEVEL_MS;
  for (;;) {
    try {
      return await runSql(replica.adminUrl, 'select from level');
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
