import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase, Servers } from '../pattern.ts';
import { delayReplay, replicaIsLevel, replicaLine, resetDelay } from './replica.ts';
import { nameOf, type Opened, runPhase, type Session } from './visits.ts';

type Variant = { open(servers: Servers): Opened };
type Input = { readonly people: number; readonly comesBackMs: number; readonly trouble: boolean };

/** Rails' default: who wrote within it reads from the primary. */
export const WINDOW_MS = 2_000;

const SIZE = { conversations: 200_000, answersEach: 5 };
const PEOPLE = 200;
/** While people are asking. */
const CUT_AFTER_MS = 12;
const CHURN_ROWS = 20;
const CHURN_EVERY_MS = 20;
const DELAY_SECONDS = 90;
const READY_MS = 10_000;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'read-write-split',
  asks: `${PEOPLE} people change their name and read it back, at once and ${WINDOW_MS / 1000} s later, on a replica that is level, then delayed by ${DELAY_SECONDS} s, then gone.`,
  breaks: 'people do not see what they wrote, and requests fail',
  holds: 'everybody sees what they wrote, no request fails, and the replica that is level takes most reads',
  needs: ['database', 'replica'],
  small: { people: 40, comesBackMs: 0, trouble: false },
  full: { people: PEOPLE, comesBackMs: WINDOW_MS + 100, trouble: true },

  async prepare({ databaseUrl, databaseAdminUrl, replicaAdminUrl }) {
    await resetDelay(replicaAdminUrl);
    await benchOrganisation(databaseUrl, SIZE);
    await replicaIsLevel(databaseAdminUrl, replicaAdminUrl);
  },

  async perform(variant, { people, comesBackMs, trouble }, servers) {
    const owner = openBenchPool(servers.databaseUrl, 2);
    const db = owner.unscoped;
    const orgId = await copyEmployees(db, await benchOrganisation(servers.databaseUrl, SIZE), people * 4);
    const ids = (await db.selectFrom('employees').where('org_id', '=', orgId).select('id').execute()).map(
      ({ id }) => id,
    );
    await replicaIsLevel(servers.databaseAdminUrl, servers.replicaAdminUrl);
    const line = await replicaLine(servers.workerReplicaUrl);
    const opened = variant.open({ ...servers, workerReplicaUrl: line.url });
    await untilReplicaAnswers(opened.createSession(orgId), orgId, ids[0] as number);
    const churn = startChurn(db, orgId, ids.slice(people * 3));
    const phase = (name: string, number: number) =>
      runPhase(opened, orgId, ids.slice(number * people, (number + 1) * people), { name, comesBackMs });
    try {
      const level = await phase('level', 0);
      if (!trouble) return { digest: level.digest, figures: level.figures };
      await delayReplay(servers.replicaAdminUrl, DELAY_SECONDS);
      // The replica stays in use for REPLICA_LAG_MAX_MS, by those who wrote nothing; this takes seconds of it.
      const delayed = await phase('delayed', 1);
      await resetDelay(servers.replicaAdminUrl);
      await replicaIsLevel(servers.databaseAdminUrl, servers.replicaAdminUrl);
      await untilReplicaAnswers(opened.createSession(orgId), orgId, ids[0] as number);
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
      await sql`delete from employees where org_id = ${orgId}`.execute(db);
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

async function untilReplicaAnswers(session: Session, orgId: number, id: number): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const server = () =>
    session
      .read((db) => nameOf(db, orgId, id))
      .then(
        (answer) => answer.server,
        () => 'neither',
      );
  while ((await server()) !== 'replica') {
    if (performance.now() > deadline) throw new Error('The replica took no read');
    await sleep(10);
  }
}

/** Somebody else who writes all the time, so that the replica always has something to replay. */
function startChurn(db: Db, orgId: number, ids: readonly number[]): { stop(): Promise<void> } {
  let running = true;
  const done = (async () => {
    for (let from = 0; running; from = (from + CHURN_ROWS) % ids.length) {
      const some = ids.slice(from, from + CHURN_ROWS);
      await sql`update employees set name = 'churn' where org_id = ${orgId} and id = any(${some}::bigint[])`.execute(
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
