import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../src/log.ts';
import { openConsumer, openQueue } from '../src/queue/queues.ts';
import { relayOutbox, type TopicHandlers } from '../src/queue/transactional-outbox.ts';
import { openRedis } from '../src/redis/redis.ts';
import { currentTraceparent, traceFields, withinTrace } from '../src/trace.ts';
import type { ApiClient } from './api-client.ts';
import { until } from './database.ts';
import { createQuietLog } from './process/quiet-log.ts';
import { type RunningApi, runApi } from './running-api.ts';
import { testRedisUrl } from './worker.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test('work within a trace knows it, also after it has waited, and other work does not', async () => {
  const inside = withinTrace(TRACEPARENT, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return [currentTraceparent(), traceFields()];
  });
  expect(currentTraceparent()).toBeUndefined();
  expect(await inside).toEqual([TRACEPARENT, { traceId: TRACE_ID }]);
});

test.each([
  ['nothing', undefined],
  ['an empty text', ''],
  ['capitals', TRACEPARENT.toUpperCase()],
  ['zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a parent of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
  ['the version that is reserved', TRACEPARENT.replace(/^00/, 'ff')],
  ['more than the version has', `${TRACEPARENT}-more`],
  ['a line break', `${TRACEPARENT}\r\n`],
])('a text that is not a traceparent makes no trace: %s', (_, text) => {
  expect(withinTrace(text, currentTraceparent)).toBeUndefined();
});

test('of a later version the part that is known is handed on', () => {
  const later = TRACEPARENT.replace(/^00/, '01');
  expect(withinTrace(`${later}-more`, currentTraceparent)).toBe(later);
});

test('log lines within a trace say its id', () => {
  const lines: string[] = [];
  const log = createLog(
    'test',
    'info',
    new Writable({ write: (line, _, done) => done(void lines.push(String(line))) }),
  );
  withinTrace(TRACEPARENT, () => log.info('inside'));
  log.info('outside');
  expect(lines.map((line) => JSON.parse(line).traceId)).toEqual([TRACE_ID, undefined]);
});

test('a request’s trace goes with its event through the outbox to the handler', async () => {
  const seen: unknown[] = [];
  const handlers = {
    'note.written': async () => void seen.push(currentTraceparent()),
  } as unknown as TopicHandlers;
  await owner.send('POST', '/api/v1/notes', { title: 'Traced' }, { traceparent: TRACEPARENT });
  await relayOutbox(api.database.database, handlers, createQuietLog().log);
  await owner.send('POST', '/api/v1/notes', { title: 'Not traced' });
  await relayOutbox(api.database.database, handlers, createQuietLog().log);
  expect(seen).toEqual([TRACEPARENT, undefined]);
});

test('and from there through a queue to its consumer', async () => {
  const { log } = createQuietLog();
  const redis = await openRedis(testRedisUrl(), log);
  const queue = openQueue('traced', redis);
  const seen: unknown[] = [];
  const consumer = openConsumer(
    'traced',
    testRedisUrl(),
    async () => {
      seen.push(currentTraceparent());
      return 'finished';
    },
    log,
  );
  onTestFinished(async () => {
    await consumer.close();
    await queue.close();
    redis.disconnect();
  });
  await withinTrace(TRACEPARENT, () => queue.add('job', {}));
  await until('the first is consumed', () => seen.length === 1);
  await queue.add('job', {});
  await until('the second is consumed', () => seen.length === 2);
  await withinTrace(TRACEPARENT, () => queue.addBulk([{ name: 'job', data: {} }]));
  await until('the third is consumed', () => seen.length === 3);
  expect(seen).toEqual([TRACEPARENT, undefined, TRACEPARENT]);
});
