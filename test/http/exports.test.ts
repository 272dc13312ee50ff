import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { AppError } from '../../src/errors.ts';
import { sendCsv } from '../../src/http/csv-reply.ts';
import { createExports } from '../../src/http/exports.ts';
import { EXPORT_STALLED_MS, EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX } from '../../src/limits.ts';
import { until } from '../database.ts';

/** As many as fill all places together, and one more. */
const [CROWD, NEWCOMER] = [EXPORTS_AT_ONCE_MAX / EXPORTS_OF_ORGANISATION_MAX, 99];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
});

test('those who do not read their files give a place to an organisation that has none', async () => {
  const { open, statusOf, allWait, ended } = await exporting();
  for (let n = 0; n < EXPORTS_AT_ONCE_MAX; n++) open(n % CROWD);
  await allWait();
  expect(await statusOf(NEWCOMER)).toBe(503);
  vi.advanceTimersByTime(EXPORT_STALLED_MS + 1);
  expect(await statusOf(0)).toBe(503); // it has its share
  expect(await statusOf(NEWCOMER)).toBe(200);
  await until('the one that began first is cut off', () => String(ended) === '0');
});

test('so do as many organisations as there are places, each with one', async () => {
  const { open, statusOf, allWait, ended } = await exporting();
  for (let n = 0; n < EXPORTS_AT_ONCE_MAX; n++) open(n);
  await allWait();
  vi.advanceTimersByTime(EXPORT_STALLED_MS + 1);
  expect(await statusOf(NEWCOMER)).toBe(200);
  await until('the one that began first is cut off', () => String(ended) === '0');
});

test('those who read on keep their places, however long it takes', async () => {
  const { open, statusOf, allWait, pages, ended } = await exporting();
  const readers = Array.from({ length: EXPORTS_AT_ONCE_MAX }, (_, n) => open(n % CROWD));
  for (let time = 0; time < 3; time++) {
    await allWait();
    vi.advanceTimersByTime(EXPORT_STALLED_MS);
    expect(await statusOf(NEWCOMER)).toBe(503);
    for (const [nth, reader] of readers.entries()) {
      const before = pages[nth] ?? 0;
      reader.resume();
      await until('it has read on', () => (pages[nth] ?? 0) > before);
      reader.pause();
    }
  }
  expect(ended).toEqual([]);
});

test('of all exports one page is read at a time, in turn, and one that fails or is left gives its turn back', async () => {
  const exports = createExports();
  const read: number[] = [];
  let reading = 0;
  let readingMax = 0;
  async function* pages(nth: number) {
    for (let page = 0; page < 3; page++) {
      readingMax = Math.max(readingMax, ++reading);
      await new Promise(setImmediate);
      reading--;
      read.push(nth);
      if (nth === 1) throw new Error('the database is away');
      yield page;
    }
  }
  const whole = (nth: number) =>
    exports.run(nth, async ({ inTurn }) => {
      for await (const _ of inTurn(pages(nth))) if (nth === 2) return;
    });
  await Promise.allSettled([0, 1, 2, 3].map(whole));
  expect(readingMax).toBe(1);
  expect(read).toEqual([0, 1, 2, 3, 0, 3, 0, 3]);
});

/** An api with one export: of one row for the newcomer, and without an end for all others. */
async function exporting() {
  const exports = createExports();
  const pages: number[] = [];
  const ended: number[] = [];
  async function* rows(nth: number) {
    try {
      for (pages[nth] = 0; ; pages[nth]++) yield [['x'.repeat(100_000)]];
    } finally {
      ended.push(nth);
    }
  }
  const app = fastify();
  app.get<{ Params: { organisation: number } }>('/:organisation', async ({ params: { organisation } }, reply) => {
    const isNew = Number(organisation) === NEWCOMER;
    return exports
      .run(Number(organisation), (place) =>
        sendCsv(reply, 'a.csv', ['name'], isNew ? once([['row']]) : rows(pages.length), place),
      )
      .catch((error: AppError) => reply.code(error.code === 'overloaded' ? 503 : 500).send());
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return app.close();
  });
  return {
    pages,
    ended,
    statusOf: async (organisation: number) => {
      const answer = await fetch(`${url}/${organisation}`);
      await answer.body?.cancel();
      return answer.status;
    },
    open(organisation: number): Socket {
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1').pause();
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(`GET /${organisation} HTTP/1.1\r\nhost: x\r\n\r\n`);
      return socket;
    },
    /** Until the buffers between us are full. */
    allWait: () =>
      until('all exports wait for their readers', async () => {
        const before = String(pages);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return pages.length === EXPORTS_AT_ONCE_MAX && String(pages) === before;
      }),
  };
}

async function* once<T>(page: T): AsyncGenerator<T> {
  yield page;
}
