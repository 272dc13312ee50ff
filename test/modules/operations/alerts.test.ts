import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { ALERT_OVER_MS } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import { createMailing } from '../../../src/mail/mailing.ts';
import { openTransport } from '../../../src/mail/transport.ts';
import { type AlertParts, createAlerts } from '../../../src/modules/operations/alerts.ts';
import type { AlertRule } from '../../../src/process/alert-before-full.ts';
import { createMetrics, type ProcessReport } from '../../../src/process/metrics.ts';
import { publishReports } from '../../../src/redis/process-reports.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import { createMemoryStops } from '../../asked-stops.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { createTcpProxy } from '../../db/tcp-proxy.ts';
import { type ScriptedSmtp, startScriptedSmtp } from '../../smtp.ts';
import { emptyRedis, testRedisUrl } from '../../worker.ts';

const FULL: AlertRule = {
  name: 'Full',
  ...{ severity: 'now', metric: 'used', above: 8, forMs: 0, unit: 'count' },
  says: 'Something is full',
  look: 'Empty it.',
};
const AWAY: AlertRule = { ...FULL, name: 'Away', metric: 'away', says: 'Something is away' };

let on: TestDatabase;
let smtp: ScriptedSmtp;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  await emptyRedis();
  await on.db.deleteFrom('alerts').execute();
  smtp = await startScriptedSmtp();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await smtp.close();
});

const unlimited = { perSecond: 1_000, pass: async () => undefined, slowDown: () => undefined };
const log = createLog('test', 'silent');

/** A mailer as far as alerts are concerned; another one is another call. */
async function startMailer(more: Partial<AlertParts> = {}) {
  const redis = await openRedis(testRedisUrl(), log);
  const transport = openTransport(smtp.url);
  closers.push(
    () => redis.disconnect(),
    () => transport.close(),
  );
  const judge = createAlerts({
    config: { alertMailTo: ['owner@acme.test'], mailFrom: 'Acme <hello@acme.test>', apiUrl: 'https://app.acme.test' },
    database: on.database,
    redis,
    mail: createMailing(transport, unlimited as never),
    log,
    rules: [FULL, AWAY],
    report: () => reportOf({}),
    ...more,
  });
  return { judge: () => judge(new AbortController().signal), redis };
}

function reportOf(gauges: Record<string, number>): ProcessReport {
  return { ...createMetrics('api').report(), gauges };
}

/** What the processes say of themselves from now on. */
async function say(gauges: Record<string, number>): Promise<void> {
  const { redis } = await startMailer();
  await publishReports(redis, { report: () => reportOf(gauges), stops: createMemoryStops() }).stop(false);
}

const told = (count: number) => until(`${count} mails`, () => smtp.received.length >= count && settled());
/** Nobody is writing a mail. */
const settled = async () =>
  (await on.db.selectFrom('alerts').where('telling_since', 'is not', null).selectAll().execute()).length === 0;

/** As if the alert had been clear for as long as it takes. */
const letOverTimePass = () =>
  sql`update alerts set clear_since = clear_since - make_interval(secs => ${ALERT_OVER_MS / 1000})`.execute(on.db);

test('a condition that holds is one mail that says what is wrong, how bad, and where to look', async () => {
  await say({ used: 9 });
  const { judge } = await startMailer();
  await judge();
  await told(1);
  const [mail] = smtp.received;
  expect(mail?.to).toBe('owner@acme.test');
  expect(mail?.text).toContain('Subject: Something is full');
  expect(mail?.text).toContain('9 (above 8)');
  expect(mail?.text).toContain('Empty it.');
  expect(mail?.text).toContain('https://app.acme.test/#/operations');
});

test('it is not told again while it holds, not after a restart either, and once when it is over', async () => {
  await say({ used: 9 });
  const first = await startMailer();
  await first.judge();
  await told(1);
  await first.judge();
  const restarted = await startMailer();
  await restarted.judge();
  await say({ used: 1 });
  await restarted.judge();
  await letOverTimePass();
  await restarted.judge();
  await told(2);
  expect(smtp.received[1]?.text).toContain('Subject: Over: Something is full');
  await restarted.judge();
  expect(await on.db.selectFrom('alerts').selectAll().execute()).toEqual([]);
  // And from the start.
  await say({ used: 10 });
  await restarted.judge();
  await told(3);
  expect(smtp.received).toHaveLength(3);
});

test('of several mailers that judge in the same moment, one writes', async () => {
  await say({ used: 9 });
  const mailers = await Promise.all([startMailer(), startMailer(), startMailer()]);
  await Promise.all(mailers.map(({ judge }) => judge()));
  await told(1);
  await Promise.all(mailers.map(({ judge }) => judge()));
  await until('nobody is writing', settled);
  expect(smtp.received).toHaveLength(1);
});

test('what begins at the same time is one mail', async () => {
  await say({ used: 9, away: 9 });
  const { judge } = await startMailer();
  await judge();
  await told(1);
  expect(smtp.received).toHaveLength(1);
  expect(smtp.received[0]?.text).toContain('(and 1 more)');
});

test('a mail server that takes nothing now is asked again, and the mail arrives once', async () => {
  await say({ used: 9 });
  smtp.script = { mailFrom: () => '454 4.7.0 try again later' };
  const { judge } = await startMailer();
  await judge();
  await until('it was refused', () => smtp.transactions > 0 && settled());
  smtp.script = {};
  const later = await startMailer(); // whose circuit is closed
  await later.judge();
  await told(1);
  await later.judge();
  expect(smtp.received).toHaveLength(1);
});

test('while the primary is away the mailer tells of it, and writes that down when it is back', async () => {
  const proxy = await createTcpProxy(on.url);
  const database = openDatabase({
    config: { databaseUrl: proxy.url, databaseReplicaUrl: undefined },
    name: 'mailer',
    log,
    metrics: createMetrics('mailer'),
  });
  closers.push(() => database.close());
  const { judge } = await startMailer({ database });
  await judge();
  await proxy.close();
  await say({ away: 9 });
  await judge();
  await until('a mail', () => smtp.received.length === 1);
  await judge();
  expect(smtp.received).toHaveLength(1);
  expect(await on.db.selectFrom('alerts').selectAll().execute()).toEqual([]);
});

test('without Redis the mailer judges itself, and no alert about others ends', async () => {
  await say({ used: 9 });
  const { judge } = await startMailer();
  await judge();
  await told(1);
  const alone = await startMailer({ report: () => ({ ...createMetrics('mailer').report(), gauges: { away: 9 } }) });
  alone.redis.disconnect();
  await alone.judge();
  await told(2);
  const rows = await on.db.selectFrom('alerts').select(['rule', 'process', 'clear_since']).orderBy('rule').execute();
  expect(rows).toEqual([
    { rule: 'Away', process: 'mailer', clear_since: null },
    { rule: 'Full', process: 'api', clear_since: null },
  ]);
});

test('without an address nothing is sent, and the alert counts as told: it is in the log', async () => {
  await say({ used: 9 });
  const config = { alertMailTo: [], mailFrom: 'hello@acme.test', apiUrl: 'https://app.acme.test' };
  const { judge } = await startMailer({ config });
  await judge();
  await until('nobody is writing', settled);
  expect(await on.db.selectFrom('alerts').select('told_at').execute()).toEqual([{ told_at: expect.any(String) }]);
  expect(smtp.received).toEqual([]);
});
