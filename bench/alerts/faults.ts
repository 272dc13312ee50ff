/**
 * One fault for each alert of the platform, planted in a running product where nobody notices it yet: in a second
 * instance, in a server that others stand in for, in a figure that only the mailer looks at.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DEADLOCKS, MAIL_REFUSED_MIN } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';
import type { PartName } from '../layout/parts.ts';
import {
  crowdPrimary,
  crowdReplica,
  cutMailersOff,
  deadlock,
  disconnectWaiting,
  holdConnections,
  LOCKED_MS,
  READERS,
  runStatement,
  STRANGERS,
} from './plant-database.ts';
import { eatMemory, provokeOutOfMemory, SPARE, takeCpu } from './plant-memory.ts';
import { NOTHING, type PlantedAlert } from './planted-alert.ts';

const MB = 2 ** 20;
const SECOND_API = 'api-2';
const MAIL_WAKES_EVERY_MS = 2 * 60_000; // well below what a mailer waits for an answer
const MAIL_AWAKE_MS = 50;

export const FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'MemoryNearLimit',
    fault: 'something else in the box of chat-2 takes memory, until it reports 87 % of its limit',
    group: 0,
    plant: async (context) => eatMemory(context, 0.87),
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
    fromTheStart: true,
    plant: async () => NOTHING,
  },
  {
    rule: 'BackupOld',
    fault: 'the last backup is 27 hours old',
    group: 0,
    plant: ({ layout }) =>
      runStatement(layout, `insert into backups (kind, finished_at) values ('full', now() - interval '27 hours')`),
  },
  {
    rule: 'OutboxOld',
    fault: 'an event of a topic that no module handles',
    group: 0,
    plant: ({ layout }) =>
      runStatement(layout, `insert into outbox (org_id, topic, payload) values (1, 'nobody', '{}')`),
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
        () => void runStatement(layout, `select pg_logical_emit_message(true, 'planted', 'x')`).catch(() => undefined),
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
    plant: crowdPrimary,
  },
  {
    rule: 'ReplicaPoolWaiting',
    fault: `a table is locked for ${LOCKED_MS} ms, again and again, on the replica too, while ${READERS} readers of api-2 want it`,
    group: 5,
    plant: crowdReplica,
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
    plant: ({ layout }) => killPart(layout, 'replica'),
  },
  {
    rule: 'SlotGrowing',
    fault: 'the replica is away, and 160 MB of log are written',
    group: 1,
    lasts: true,
    async plant({ layout }) {
      const undo = await killPart(layout, 'replica');
      for (let segment = 0; segment < 10; segment++) {
        await runStatement(layout, `select pg_logical_emit_message(false, 'planted', repeat('x', 15 * 1024 * 1024))`);
        await runStatement(layout, 'select pg_switch_wal()', 'admin');
      }
      return undo;
    },
  },
  {
    rule: 'MailHeld',
    fault: 'kill -9 of the mail server, while an invitation waits to be sent',
    group: 3,
    async plant({ layout }) {
      const undo = await killPart(layout, 'mail');
      await invite(layout, ['nobody@invited.test']);
      return undo;
    },
  },
  {
    rule: 'MailRefused',
    fault: 'of 40 invitations the mail server refuses 30, because nobody has these addresses',
    group: 4,
    plant: ({ layout }) =>
      invite(layout, [
        ...Array.from({ length: MAIL_REFUSED_MIN * 1.5 }, (_, nth) => `bounce-${nth}@invited.test`),
        ...Array.from({ length: 10 }, (_, nth) => `somebody-${nth}@invited.test`),
      ]),
  },
  {
    rule: 'MailStuck',
    fault: 'the mail server stands still, but for a moment every two minutes, and many mails are sent',
    group: 10,
    minutes: 16,
    needsMails: true,
    async plant({ layout, sendMails }) {
      await layout.kill('mail', 'SIGSTOP');
      await sendMails?.();
      const waking = setInterval(async () => {
        await layout.kill('mail', 'SIGCONT');
        await sleep(MAIL_AWAKE_MS);
        await layout.kill('mail', 'SIGSTOP');
      }, MAIL_WAKES_EVERY_MS);
      return async () => {
        clearInterval(waking);
        await layout.kill('mail', 'SIGCONT');
      };
    },
  },
  {
    rule: 'ProcessMissing',
    fault: `kill -9 of ${SECOND_API}, and nobody starts it again`,
    group: 3,
    lasts: true,
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'NotScraped',
    fault: 'the same',
    group: 3,
    lasts: true,
    toldBy: 'Prometheus only',
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'NothingScraped',
    fault: 'the scrape configuration has no targets any more',
    group: 9,
    minutes: 3,
    toldBy: 'Prometheus only',
    plant: async ({ prometheus }) => (await prometheus?.forgetTargets()) ?? NOTHING,
  },
  {
    rule: 'Watchdog',
    fault: 'none: it always fires',
    group: 0,
    toldBy: 'Prometheus only',
    plant: async () => NOTHING,
  },
  {
    rule: 'CpuThrottled',
    fault: 'the box of chat-2 gets a fifth of one CPU, and something else in it wants all of it',
    group: 3,
    plant: takeCpu,
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
    fault: 'the table of events is locked, and the mailer loses its connection while it waits for it, again and again',
    group: 6,
    plant: disconnectWaiting,
  },
  {
    rule: 'DatabaseUnreachable',
    fault: 'the primary ends each connection of the mailer as soon as it is there',
    group: 7,
    toldBy: 'mail',
    plant: cutMailersOff,
  },
  {
    rule: 'RedisUnreachable',
    fault: 'kill -9 of Redis',
    group: 8,
    plant: ({ layout }) => killPart(layout, 'redis'),
  },
  {
    rule: 'OutOfMemory',
    fault: 'the kernel kills chat-2 for its memory, and its platform starts it again',
    group: 5,
    plant: provokeOutOfMemory,
  },
];

/** Two alerts of a group may have the same fault. */
async function killPart(layout: Layout, part: PartName): Promise<() => unknown> {
  await layout.kill(part, 'SIGKILL');
  return async () => {
    if (layout.pid(part) === undefined) await layout.restart(part);
  };
}

/** Old enough for the sweep, which enqueues within a minute what was forgotten. */
function invite(layout: Layout, emails: readonly string[]): Promise<() => undefined> {
  const rows = emails.map(
    (email) => `(1, '${email}', 'viewer', 'Somebody', now() - interval '5 minutes', now() + interval '1 day')`,
  );
  return runStatement(
    layout,
    `insert into invitations (org_id, email, role, invited_by, created_at, expires_at) values ${rows.join(', ')}`,
  );
}
