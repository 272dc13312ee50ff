/**
 * One fault for each alert, planted in a running product where nobody notices it yet: in a second instance, in a server
 * that others stand in for, in a figure that only the mailer looks at. Each returns how to end it.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { CONNECTIONS_SHARE, DEADLOCKS } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';

export interface PlantedAlert {
  readonly rule: string;
  readonly fault: string;
  /** Those of one group are planted together; groups follow one another. */
  readonly group: number;
  /** It goes on while the others of its group have not fired; otherwise it ends when its own alert has. */
  readonly lasts?: true;
  plant(context: FaultContext): Promise<() => unknown>;
}

export interface FaultContext {
  readonly layout: Layout;
  /** The folder that DISK_PATH names: a small file system of its own. */
  readonly disk: string;
}

const MB = 2 ** 20;
const SPARE = 'chat-2';
const LOCKED_MS = 800; // less than half of what a caller waits for a connection
const STRANGERS = 32; // beyond the pool, more than the alert's threshold
const OOM_WITHIN_MS = 30_000;
const PIECE_BYTES = 10 * MB; // of one process, which takes about 30 MB itself

export const FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'MemoryNearLimit',
    fault: 'something else in the box of chat-2 takes memory, up to 88 % of the limit',
    group: 0,
    plant: async (context) => eatMemory(context, 0.88),
  },
  {
    rule: 'DiskFilling',
    fault: 'the watched disk is filled to 90 %',
    group: 0,
    plant: async ({ disk }) => writeFileSync(path.join(disk, 'filling'), Buffer.alloc(14.4 * MB)) ?? NOTHING,
  },
  {
    rule: 'CertificateExpiring',
    fault: 'the certificate behind API_URL ends in 3 days',
    group: 0,
    plant: async () => NOTHING, // it is there from the start
  },
  {
    rule: 'BackupOld',
    fault: 'the last backup is 27 hours old',
    group: 0,
    plant: ({ layout }) =>
      withClient(layout, `insert into backups (kind, finished_at) values ('full', now() - interval '27 hours')`),
  },
  {
    rule: 'OutboxOld',
    fault: 'an event of a topic that no module handles',
    group: 0,
    plant: ({ layout }) => withClient(layout, `insert into outbox (org_id, topic, payload) values (1, 'nobody', '{}')`),
  },
  {
    rule: 'QueueOld',
    fault: 'a queue is paused, and a job waits in it',
    group: 0,
    async plant({ layout }) {
      const redis = new Redis(layout.addresses.redisUrl);
      const [meta] = await redis.keys('bull:*:meta');
      const queue = meta?.replace(/:meta$/, '') ?? 'bull:none';
      await redis.hset(`${queue}:planted`, 'timestamp', Date.now(), 'delay', 0);
      await redis.rpush(`${queue}:paused`, 'planted');
      return async () => {
        await redis.lrem(`${queue}:paused`, 0, 'planted');
        redis.disconnect();
      };
    },
  },
  {
    rule: 'RedisFilling',
    fault: 'Redis is filled to 85 % of maxmemory',
    group: 0,
    async plant({ layout }) {
      const redis = new Redis(layout.addresses.redisUrl);
      const of = async (field: string) =>
        Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await redis.info('memory'))?.[1]);
      const missing = (await of('maxmemory')) * 0.85 - (await of('used_memory'));
      const pieces = Math.ceil(missing / MB);
      for (let piece = 0; piece < pieces; piece++) await redis.set(`planted:${piece}`, randomBytes(0.97 * MB));
      return async () => {
        await redis.del(Array.from({ length: pieces }, (_, piece) => `planted:${piece}`));
        redis.disconnect();
      };
    },
  },
  {
    rule: 'ReplicaLagging',
    fault: 'the replica receives and does not replay',
    group: 0,
    async plant({ layout }) {
      const replica = new pg.Client({
        connectionString: layout.addresses.databaseAdminUrl.replace(
          /:\d+\//,
          `:${new URL(layout.addresses.databaseReplicaUrl).port}/`,
        ),
      });
      await replica.connect();
      await replica.query('select pg_wal_replay_pause()');
      const writing = setInterval(
        () => void withClient(layout, `select pg_logical_emit_message(true, 'planted', 'x')`).catch(() => undefined),
        500,
      );
      return async () => {
        clearInterval(writing);
        await replica.query('select pg_wal_replay_resume()');
        await replica.end();
      };
    },
  },
  {
    rule: 'Deadlocks',
    fault: 'two sessions take two locks in different orders, again and again',
    group: 0,
    async plant({ layout }) {
      for (let count = 0; count < DEADLOCKS * 1.5; count++) await deadlock(layout);
      return NOTHING;
    },
  },
  {
    rule: 'PoolWaiting',
    fault: `a table is locked for ${LOCKED_MS} ms, again and again, while ${STRANGERS} strangers ask the api`,
    group: 2,
    plant: lockSessions,
  },
  {
    rule: 'EventLoopDelayed',
    fault: 'chat-2 stands still for 0.4 s of each second',
    group: 1,
    async plant({ layout }) {
      let ended = false;
      const pulsing = (async () => {
        while (!ended) {
          await layout.kill(SPARE, 'SIGSTOP');
          await sleep(400);
          await layout.kill(SPARE, 'SIGCONT');
          await sleep(600);
        }
      })();
      return async () => {
        ended = true;
        await pulsing;
      };
    },
  },
  {
    rule: 'ReplicaLost',
    fault: 'kill -9 of the replica',
    group: 1,
    lasts: true,
    async plant({ layout }) {
      await layout.kill('replica', 'SIGKILL');
      return NOTHING; // it comes back with the next one
    },
  },
  {
    rule: 'SlotGrowing',
    fault: 'the replica is away, and 160 MB of log are written',
    group: 1,
    lasts: true,
    async plant({ layout }) {
      for (let segment = 0; segment < 10; segment++) {
        await withClient(layout, `select pg_logical_emit_message(false, 'planted', repeat('x', 15 * 1024 * 1024))`);
        await withClient(layout, 'select 1', 'select pg_switch_wal()');
      }
      return () => layout.restart('replica');
    },
  },
  {
    rule: 'MailHeld',
    fault: 'kill -9 of the mail server (the first mails that it does not take are those about the other alerts)',
    group: 3,
    async plant({ layout }) {
      await layout.kill('mail', 'SIGKILL');
      return () => layout.restart('mail');
    },
  },
  {
    rule: 'ProcessMissing',
    fault: 'kill -9 of api-2, and nobody starts it again',
    group: 3,
    async plant({ layout }) {
      await layout.kill('api-2', 'SIGKILL');
      return () => layout.restart('api-2');
    },
  },
  {
    rule: 'CpuThrottled',
    fault: 'the box of chat-2 gets a fifth of one CPU, and something else in it wants all of it',
    group: 3,
    async plant({ layout }) {
      await layout.boxes.get(SPARE)?.setCpus(0.2);
      const stop = runInBox(layout, 'for (;;);');
      return async () => {
        stop();
        await layout.boxes.get(SPARE)?.setCpus(2);
      };
    },
  },
  {
    rule: 'ConnectionsNearMax',
    fault: 'somebody opens connections and keeps them, up to four fifths',
    group: 2,
    plant: holdConnections,
  },
  {
    rule: 'Crashing',
    fault: 'kill -9 of chat-2, three times',
    group: 4,
    async plant({ layout }) {
      for (let time = 0; time < 3; time++) {
        await layout.kill(SPARE, 'SIGKILL');
        await layout.restart(SPARE);
        await sleep(5_000); // its first report
      }
      return NOTHING;
    },
  },
  {
    rule: 'TransactionsRetried',
    fault: 'the connections of the mailer are ended, again and again',
    group: 6,
    async plant({ layout }) {
      const client = new pg.Client({ connectionString: layout.addresses.databaseAdminUrl });
      await client.connect();
      let ended = false;
      const ending = (async () => {
        while (!ended) {
          await client.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tardigrade-mailer' and state <> 'idle'`,
          );
          await sleep(10);
        }
        await client.end();
      })();
      return async () => {
        ended = true;
        await ending;
      };
    },
  },
  {
    rule: 'RedisUnreachable',
    fault: 'kill -9 of Redis',
    group: 7,
    async plant({ layout }) {
      await layout.kill('redis', 'SIGKILL');
      return () => layout.restart('redis');
    },
  },
  {
    rule: 'OutOfMemory',
    fault: 'the kernel kills chat-2 for its memory, and its platform starts it again',
    group: 5,
    async plant(context) {
      const { layout } = context;
      const stop = await eatMemory(context, 0.91);
      await sleep(6_000); // a report that shows it
      const pid = layout.pid(SPARE);
      // The kernel takes it, and not the greater one beside it.
      writeFileSync(`/proc/${pid}/oom_score_adj`, '900');
      const more = runInBox(layout, eater(120 * MB));
      const deadline = performance.now() + OOM_WITHIN_MS;
      while (layout.pid(SPARE) === pid && performance.now() < deadline) await sleep(100);
      more();
      stop();
      await layout.kill(SPARE, 'SIGKILL'); // nothing is left of it
      await layout.restart(SPARE);
      return NOTHING;
    },
  },
];

const NOTHING = () => undefined;

async function withClient(layout: Layout, statement: string, asAdmin?: string): Promise<() => undefined> {
  const connectionString = asAdmin === undefined ? layout.addresses.databaseUrl : layout.addresses.databaseAdminUrl;
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(asAdmin ?? statement);
  } finally {
    await client.end();
  }
  return NOTHING;
}

/** Of those that are not the superusers'. */
async function holdConnections({ layout }: FaultContext): Promise<() => unknown> {
  const clients: pg.Client[] = [];
  const open = async () => {
    const client = new pg.Client({ connectionString: layout.addresses.databaseUrl });
    await client.connect();
    clients.push(client);
    const { rows } = await client.query<{ share: number }>(
      `select (select sum(numbackends) from pg_stat_database)::float8 / current_setting('max_connections')::float8 as share`,
    );
    return rows[0]?.share ?? 1;
  };
  // Idle ones of the product end meanwhile.
  let ended = false;
  const holding = (async () => {
    while (!ended) {
      while ((await open()) <= CONNECTIONS_SHARE);
      await sleep(1_000);
      await clients.pop()?.end();
    }
  })();
  return async () => {
    ended = true;
    await holding;
    await Promise.all(clients.map((client) => client.end()));
  };
}

async function deadlock(layout: Layout): Promise<void> {
  const clients = [0, 1].map(() => new pg.Client({ connectionString: layout.addresses.databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const [one, other] = clients as [pg.Client, pg.Client];
  await one.query('begin; select pg_advisory_xact_lock(7301)');
  await other.query('begin; select pg_advisory_xact_lock(7302)');
  await Promise.allSettled([
    one.query('select pg_advisory_xact_lock(7302)').finally(() => one.query('rollback')),
    other.query('select pg_advisory_xact_lock(7301)').finally(() => other.query('rollback')),
  ]);
  await Promise.all(clients.map((client) => client.end()));
}

/** Each stranger has a network of its own, or its guesses would be limited. */
async function lockSessions({ layout }: FaultContext): Promise<() => unknown> {
  let ended = false;
  const client = new pg.Client({ connectionString: layout.addresses.databaseUrl });
  await client.connect();
  const locking = (async () => {
    while (!ended) {
      await client.query('begin; lock table sessions in access exclusive mode');
      await sleep(LOCKED_MS);
      await client.query('commit');
      await sleep(20);
    }
    await client.end();
  })();
  const strangers = Array.from({ length: STRANGERS }, async (_, nth) => {
    while (!ended) {
      const headers = {
        authorization: `Bearer ${randomBytes(32).toString('base64url')}`,
        'x-forwarded-for': `10.${nth}.${Math.floor(Math.random() * 250)}.7`,
      };
      const answer = await fetch(`${layout.addresses.api}/api/v1/me`, { headers }).catch(() => undefined);
      await answer?.body?.cancel();
    }
  });
  return async () => {
    ended = true;
    await Promise.all([locking, ...strangers]);
  };
}

/** Fills the box of the spare instance to this share of its limit, piece by piece. */
async function eatMemory({ layout }: FaultContext, share: number): Promise<() => void> {
  const box = layout.boxes.get(SPARE);
  if (box === undefined) throw new Error(`${SPARE} has no box`);
  const stops: (() => void)[] = [];
  while (box.usedBytes() < box.limitBytes * share) {
    stops.push(runInBox(layout, eater(PIECE_BYTES)));
    await sleep(1_000);
  }
  return () => stops.forEach((stop) => void stop());
}

/** A program that takes so much and keeps it. */
function eater(bytes: number): string {
  return `
    const eaten = Buffer.alloc(${Math.max(0, Math.round(bytes))}, 1);
    setInterval(() => eaten.length, 1000);`;
}

function runInBox(layout: Layout, program: string): () => void {
  const box = layout.boxes.get(SPARE);
  if (box === undefined) throw new Error(`${SPARE} has no box`);
  const { command, args } = box.wrap(process.execPath, ['-e', program]);
  const child = spawn(command, args, { stdio: 'ignore' });
  return () => void child.kill('SIGKILL');
}
