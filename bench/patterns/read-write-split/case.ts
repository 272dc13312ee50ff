import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase, Servers } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';
import { delayReplay, openReplicaLine, replicaIsLevel, resetDelay } from './replica.ts';
import { type Opened, ORGANISATION, runPhase, type Session, titleOf } from './visits.ts';

type Twin = { open(servers: Servers): Opened };
type Input = { readonly writers: number; readonly comesBackMs: number; readonly trouble: boolean };

const WRITERS = 200;
/** Just past the window for which naive reads from the primary. */
const COMES_BACK_MS = 2_100;
/** While the writers are asking. */
const CUT_AFTER_MS = 12;
const CHURN_ROWS = 20;
const CHURN_EVERY_MS = 20;
const DELAY_SECONDS = 90;
const READY_MS = 10_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/read-write-split.ts',
  withoutIt: "reads miss the caller's own writes",
  asks: `${WRITERS} writers change a title and read it back, at once and ${COMES_BACK_MS / 1000} s later, on a replica that is level, then delayed by ${DELAY_SECONDS} s, then gone.`,
  breaks: 'writers do not see what they wrote, and requests fail',
  holds: 'all writers see what they wrote, no request fails, and the replica that is level takes most reads',
  headline: ({ staleOwnReads = 0 }) => `${staleOwnReads} stale reads`,
  needsReplica: true,
  small: { writers: 40, comesBackMs: 0, trouble: false },
  full: { writers: WRITERS, comesBackMs: COMES_BACK_MS, trouble: true },

  async arrange({ databaseUrl, databaseAdminUrl, replicaAdminUrl }, { writers }) {
    await resetDelay(replicaAdminUrl);
    await runSql(
      databaseUrl,
      `insert into documents (title) select 'Draft' from generate_series(1, ${writers * 4}); analyze documents`,
    );
    await replicaIsLevel(databaseAdminUrl, replicaAdminUrl);
  },

  async perform({ open }, { writers, comesBackMs, trouble }, servers) {
    const owner = openBenchPool(servers.databaseUrl, 2);
    const line = await openReplicaLine(servers.workerReplicaUrl);
    const opened = open({ ...servers, workerReplicaUrl: line.url });
    await untilReplicaAnswers(opened.createSession(ORGANISATION));
    const churn = startChurn(owner.unscoped, writers * 3);
    const phase = (name: string, number: number) =>
      runPhase(opened, { name, firstId: number * writers + 1, writers, comesBackMs });
    try {
      const level = await phase('level', 0);
      if (!trouble) return { digest: level.digest, figures: level.figures };
      await delayReplay(servers.replicaAdminUrl, DELAY_SECONDS);
      // Readers without a write of their own stay on the replica for REPLICA_LAG_MAX_MS; this takes seconds of it.
      const delayed = await phase('delayed', 1);
      await resetDelay(servers.replicaAdminUrl);
      await replicaIsLevel(servers.databaseAdminUrl, servers.replicaAdminUrl);
      await untilReplicaAnswers(opened.createSession(ORGANISATION));
      const [gone] = await Promise.all([phase('gone', 2), sleep(CUT_AFTER_MS).then(line.cut)]);
      const phases = [level, delayed, gone];
      const sum = (name: 'staleOwnReads' | 'failed') => phases.reduce((all, { counts }) => all + counts[name], 0);
      return {
        digest: phases.map(({ digest }) => digest).join(' '),
        figures: Object.assign(
          { staleOwnReads: sum('staleOwnReads'), failed: sum('failed') },
          ...phases.map(({ figures }) => figures),
        ),
      };
    } finally {
      await churn.stop();
      await opened.close();
      await line.cut();
      await resetDelay(servers.replicaAdminUrl);
      await owner.close();
    }
  },

  isBroken: ({ figures }) => (figures.staleOwnReads ?? 0) > 0 && (figures.failed ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.staleOwnReads === 0 &&
    figures.failed === 0 &&
    (figures.levelReplicaShare ?? 0) > 50,
};

async function untilReplicaAnswers(session: Session): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const server = () =>
    session
      .read((db) => titleOf(db, 1))
      .then(
        (answer) => answer.server,
        () => 'neither',
      );
  while ((await server()) !== 'replica') {
    if (performance.now() > deadline) throw new Error('The replica took no read');
    await sleep(10);
  }
}

/** Another writer that never rests, so that the replica always has something to replay: in the rows after `afterId`. */
function startChurn(db: Db, afterId: number): { stop(): Promise<void> } {
  let running = true;
  const done = (async () => {
    while (running) {
      await sql`update documents set title = 'Churn' where id > ${afterId} and id <= ${afterId + CHURN_ROWS}`.execute(
        db,
      );
      await sleep(CHURN_EVERY_MS);
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
    },
  };
}
