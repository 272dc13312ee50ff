/** Faults that the alerts about PostgreSQL and its replica must notice. */
import pg from 'pg';
import { DEADLOCKS } from '../../src/modules/operations/limits.ts';
import { killPart } from './kill-part.ts';
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
import { NOTHING, type PlantedAlert } from './planted-alert.ts';

export const DATABASE_FAULTS: readonly PlantedAlert[] = [
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
    rule: 'ConnectionsNearMax',
    fault: 'somebody opens connections and keeps them, up to four fifths',
    group: 2,
    plant: holdConnections,
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
];
