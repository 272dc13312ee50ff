import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { MAILS_IN_FLIGHT_MAX } from '../../../src/modules/campaigns/limits.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { mailsTo } from '../../mails.ts';
import { addOrganisation } from '../../organisation.ts';
import { emptyRedis, testEnvironment, testRedisUrl } from '../../worker.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched, campaignOf, countedInLedger } from './drafts.ts';

/**
 * A mailer that is killed in the middle of a campaign. `MAIL_ONCE_EMPLOYEES=10000 npx vitest run test/scenarios/mail-once.test.ts`
 * is the longer run: there nothing is moved forward, the leases and locks of the dead run out by the clock.
 * MAIL_ONCE_SEED repeats a run's moment of death.
 */
const LONGER = process.env['MAIL_ONCE_EMPLOYEES'];
const EMPLOYEES = Number(LONGER ?? 1_500); // more than one slice
const SEED = Number(process.env['MAIL_ONCE_SEED'] ?? Date.now() % 1_000_000);
/** Only a test that fails takes as long: the mailer yields to everything else that runs, and gets little of a busy machine. */
const DEADLINE_MS = 900_000;

let on: TestDatabase;
let environment: Record<string, string>;
let mailer: ChildProcess | undefined;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', MAIL_PER_SECOND: '10000' };
});
afterEach(() => kill());
afterAll(() => on.close());

function startMailer(): void {
  const launch = join(import.meta.dirname, '..', '..', '..', 'workers', 'launch.ts');
  mailer = spawn(process.execPath, [launch, 'mailer'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function kill(): Promise<void> {
  const dying = mailer;
  mailer = undefined;
  if (dying === undefined || dying.exitCode !== null) return;
  const dead = new Promise((resolve) => dying.once('exit', resolve));
  dying.kill('SIGKILL');
  await dead;
}

/** What the clock does in half a minute: the dead mailer's leases run out, and BullMQ finds its job without a lock. */
async function timePasses(jobId: string): Promise<void> {
  await sql`update reach_outs set due_at = now() where status = 'sending'`.execute(on.db);
  const redis = new Redis(testRedisUrl());
  await redis.del(`bull:campaigns:${jobId}:lock`, 'bull:campaigns:stalled-check');
  await redis.sadd('bull:campaigns:stalled', jobId);
  redis.disconnect();
}

test(
  `a mailer killed in the middle of ${EMPLOYEES} mails: everybody gets theirs, at most ${MAILS_IN_FLIGHT_MAX} twice (seed ${SEED})`,
  async () => {
    const random = seeded(SEED);
    await emptyRedis();
    const orgId = await addOrganisation(on.db);
    await addEmployees(on.db, orgId, EMPLOYEES, 'once.test');
    const id = await addLaunched(on.database, orgId);
    const sent = async () => (await campaignOf(on.db, orgId, id)).progress.sent;

    startMailer();
    const isBegun = async () => ((await sent()) > 0 ? performance.now() : undefined);
    const begin = await until('the first mails are out', isBegun, DEADLINE_MS);
    const killAt = Math.round(EMPLOYEES * (0.1 + 0.5 * random()));
    await until(`${killAt} mails are out`, async () => (await sent()) >= killAt, DEADLINE_MS);
    await sleep(random() * 30); // anywhere between two of its writes
    await kill();
    const seconds = (performance.now() - begin) / 1000;
    const sentBefore = await sent();
    expect(sentBefore).toBeLessThan(EMPLOYEES);

    if (LONGER === undefined) await timePasses(`campaign-${orgId}-${id}`);
    startMailer();
    await until(
      'the campaign is done',
      async () => (await campaignOf(on.db, orgId, id)).status === 'done',
      DEADLINE_MS,
    );

    const { progress } = await campaignOf(on.db, orgId, id);
    const mails = await mailsTo('@once.test');
    const duplicates = mails.length - new Set(mails.map((mail) => mail.messageId)).size;
    process.stdout.write(
      `mail-once: seed ${SEED}, ${EMPLOYEES} employees, killed at ${sentBefore} (${Math.round(sentBefore / seconds)} mails/s), ` +
        `${mails.length} mails taken, ${duplicates} duplicates, ${progress.possiblyTwice} possibly twice\n`,
    );
    expect(new Set(mails.map((mail) => mail.to)).size).toBe(EMPLOYEES);
    expect(progress.possiblyTwice).toBeLessThanOrEqual(MAILS_IN_FLIGHT_MAX);
    expect(duplicates).toBeLessThanOrEqual(progress.possiblyTwice);
    expect(progress).toMatchObject({ recipients: EMPLOYEES, sent: EMPLOYEES, failed: 0, skipped: 0 });
    expect(progress).toMatchObject((await countedInLedger(on.db, orgId, id)) as object);
  },
  DEADLINE_MS * 2,
);

/** Mulberry32: the same seed dies at the same moment. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
